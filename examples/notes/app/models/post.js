const { DataTypes } = require("sequelize");

module.exports = (sequelize) =>
  sequelize.define(
    "post",
    {
      body: { type: DataTypes.TEXT, allowNull: false },
      hidden: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
    },
    { defaultScope: { where: { hidden: false } } }, // what moderators hid is for nobody
  );
