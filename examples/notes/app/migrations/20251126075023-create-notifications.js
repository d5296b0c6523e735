"use strict";

module.exports = {
  up: (queryInterface, Sequelize) => {
    const reference = (model) => ({
      type: Sequelize.INTEGER,
      allowNull: false,
      references: { model, key: "id" },
      onUpdate: "CASCADE",
      onDelete: "CASCADE",
    });
    return queryInterface.createTable("notifications", {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      user_id: reference("users"),
      post_id: reference("posts"),
      read_at: { type: Sequelize.DATE },
      created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn("now") },
    });
  },

  down: (queryInterface) => queryInterface.dropTable("notifications"),
};
