const { DataTypes } = require("sequelize");

module.exports = (sequelize) =>
  Object.assign(
    sequelize.define("thread", {
      title: { type: DataTypes.STRING(200), allowNull: false },
    }),
    {
      // The order of every list of threads: the latest activity first.
      listOrder: [
        ["updatedAt", "DESC"],
        ["id", "DESC"],
      ],
    },
  );
