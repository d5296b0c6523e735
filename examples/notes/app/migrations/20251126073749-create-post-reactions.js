"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      const owner = (model) => ({
        type: Sequelize.INTEGER,
        allowNull: false,
        references: { model, key: "id" },
        onUpdate: "CASCADE",
        onDelete: "CASCADE",
      });
      await queryInterface.createTable(
        "post_reactions",
        {
          id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
          post_id: owner("posts"),
          user_id: owner("users"),
          kind: { type: Sequelize.STRING(20), allowNull: false },
          created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
        },
        { transaction },
      );
      // A check, not an enum: an enum's type would outlive the table, and taking a value away from it takes a rewrite.
      await queryInterface.addConstraint("post_reactions", {
        type: "check",
        name: "post_reactions_kind_check",
        fields: ["kind"],
        where: { kind: ["like", "helpful", "thanks"] },
        transaction,
      });
      await queryInterface.addConstraint("post_reactions", {
        type: "unique",
        name: "post_reactions_once_per_user",
        fields: ["post_id", "user_id", "kind"],
        transaction,
      });
    }),

  down: (queryInterface) => queryInterface.dropTable("post_reactions"),
};
