"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.createTable(
        "users",
        {
          id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
          username: { type: Sequelize.STRING(30), allowNull: false, unique: true },
          created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
          updated_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
        },
        { transaction },
      );
      // Nullable: what was written before there were users has no author, nor has what a deleted user leaves behind.
      const author = {
        type: Sequelize.INTEGER,
        references: { model: "users", key: "id" },
        onUpdate: "CASCADE",
        onDelete: "SET NULL",
      };
      await queryInterface.addColumn("threads", "user_id", author, { transaction });
      await queryInterface.addColumn("posts", "user_id", author, { transaction });
    }),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.removeColumn("posts", "user_id", { transaction });
      await queryInterface.removeColumn("threads", "user_id", { transaction });
      await queryInterface.dropTable("users", { transaction });
    }),
};
