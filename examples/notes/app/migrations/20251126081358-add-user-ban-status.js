"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.addColumn("users", "banned_at", { type: Sequelize.DATE }, { transaction });
      await queryInterface.addColumn("users", "ban_reason", { type: Sequelize.TEXT }, { transaction });
    }),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.removeColumn("users", "ban_reason", { transaction });
      await queryInterface.removeColumn("users", "banned_at", { transaction });
    }),
};
