"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.addColumn(
        "users",
        "role",
        { type: Sequelize.STRING(20), allowNull: false, defaultValue: "member" },
        { transaction },
      );
      await queryInterface.addConstraint("users", {
        type: "check",
        name: "users_role_check",
        fields: ["role"],
        where: { role: ["member", "moderator", "admin"] },
        transaction,
      });
    }),

  // The check goes with its column.
  down: (queryInterface) => queryInterface.removeColumn("users", "role"),
};
