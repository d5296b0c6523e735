#!/bin/sh
# shellcheck disable=SC2034 # what is set here is for those that source this file
# Sourced, never run. A URI that is written for a program's driver may have another scheme and parameters that only that driver knows.

# libpq_uri: makes of $CONNECTION_URI one that libpq takes, and says what it leaves out in $uri_left_out. Fails where it can make none, and
# says why in $uri_problem. Of the URI itself nothing is said, because the password is in it.
libpq_uri() {
  uri_left_out='' uri_problem=''
  case ${CONNECTION_URI:-} in
    jdbc:*) uri_rest=${CONNECTION_URI#jdbc:} ;;
    *) uri_rest=${CONNECTION_URI:-} ;;
  esac
  uri_scheme=${uri_rest%%:*}
  case $uri_scheme in
    '' | *[!A-Za-z0-9+.-]*) return 0 ;; # libpq's own form, "host=… user=…"
    postgres | postgresql | postgres+* | postgresql+* | postgis | pgsql | pdo-pgsql | ecto) ;;
    *)
      uri_problem="begins with \"$uri_scheme:\", which is no scheme of Postgres: write postgresql://"
      return 1
      ;;
  esac
  case $uri_rest in
    *://*) uri_rest=${uri_rest#*://} ;;
    *)
      uri_problem='names no host: write postgresql://host:port/dbname'
      return 1
      ;;
  esac
  # A "?" in the password is not the one before the parameters.
  uri_login=
  case ${uri_rest%%/*} in
    *@*)
      uri_login=${uri_rest%%@*}@
      uri_rest=${uri_rest#*@}
      ;;
  esac
  case $uri_rest in
    *\?*) uri_query=${uri_rest#*\?} uri_rest=${uri_rest%%\?*} ;;
    *) uri_query= ;;
  esac
  uri_kept=
  while [ -n "$uri_query" ]; do
    uri_pair=${uri_query%%&*}
    case $uri_query in
      *\&*) uri_query=${uri_query#*&} ;;
      *) uri_query= ;;
    esac
    uri_name=${uri_pair%%=*}
    case $uri_pair in
      sslmode=no-verify) uri_pair=sslmode=require ;; # Node.js' pg
      ssl=true | ssl=1 | ssl=on) uri_pair=sslmode=require ;; # JDBC's and others'
      ssl=disable | ssl=allow | ssl=prefer | ssl=require | ssl=verify-ca | ssl=verify-full) uri_pair=sslmode=${uri_pair#ssl=} ;; # asyncpg's
      host=* | hostaddr=* | port=* | dbname=* | user=* | password=* | passfile=* | require_auth=* | channel_binding=* | connect_timeout=*) ;;
      client_encoding=* | options=* | application_name=* | fallback_application_name=* | keepalives*=* | tcp_user_timeout=* | gss*=* | krbsrvname=*) ;;
      sslmode=* | sslnegotiation=* | sslcompression=* | sslcert=* | sslkey=* | sslpassword=* | sslcertmode=* | sslrootcert=* | sslcrl*=* | sslsni=*) ;;
      requirepeer=* | ssl_min_protocol_version=* | ssl_max_protocol_version=* | service=* | target_session_attrs=* | load_balance_hosts=*) ;;
      *)
        case $uri_name in
          *[!A-Za-z0-9_.-]*) uri_name='one that cannot be read' ;;
        esac
        uri_left_out="$uri_left_out${uri_left_out:+, }$uri_name"
        continue
        ;;
    esac
    uri_kept="$uri_kept${uri_kept:+&}$uri_pair"
  done
  CONNECTION_URI=postgresql://$uri_login$uri_rest${uri_kept:+?$uri_kept}
}
