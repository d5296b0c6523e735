"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.createTable("threads", {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      category_id: {
        type: Sequelize.INTEGER,
        allowNull: false,
        references: { model: "categories", key: "id" },
        onUpdate: "CASCADE",
        onDelete: "RESTRICT", // a category with threads is emptied on purpose or not at all
      },
      title: { type: Sequelize.STRING(200), allowNull: false },
      created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
      updated_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
    }),

  down: (queryInterface) => queryInterface.dropTable("threads"),
};
