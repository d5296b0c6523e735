"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.addColumn("posts", "hidden", { type: Sequelize.BOOLEAN, allowNull: false, defaultValue: false }),

  down: (queryInterface) => queryInterface.removeColumn("posts", "hidden"),
};
