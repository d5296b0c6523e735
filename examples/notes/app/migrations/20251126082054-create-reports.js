"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      // A report outlives the account of who made it and of who settled it.
      const user = {
        type: Sequelize.INTEGER,
        references: { model: "users", key: "id" },
        onUpdate: "CASCADE",
        onDelete: "SET NULL",
      };
      await queryInterface.createTable(
        "reports",
        {
          id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
          post_id: {
            type: Sequelize.INTEGER,
            allowNull: false,
            references: { model: "posts", key: "id" },
            onUpdate: "CASCADE",
            onDelete: "CASCADE",
          },
          reporter_id: user,
          resolver_id: user,
          reason: { type: Sequelize.TEXT, allowNull: false },
          status: { type: Sequelize.STRING(20), allowNull: false, defaultValue: "open" },
          created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
          resolved_at: { type: Sequelize.DATE },
        },
        { transaction },
      );
      await queryInterface.addConstraint("reports", {
        type: "check",
        name: "reports_status_check",
        fields: ["status"],
        where: { status: ["open", "upheld", "dismissed"] },
        transaction,
      });
    }),

  down: (queryInterface) => queryInterface.dropTable("reports"),
};
