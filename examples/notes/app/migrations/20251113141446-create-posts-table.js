"use strict";

module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.createTable("posts", {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      thread_id: {
        type: Sequelize.INTEGER,
        allowNull: false,
        references: { model: "threads", key: "id" },
        onUpdate: "CASCADE",
        onDelete: "CASCADE",
      },
      body: { type: Sequelize.TEXT, allowNull: false },
      created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
      updated_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
    }),

  down: (queryInterface) => queryInterface.dropTable("posts"),
};
