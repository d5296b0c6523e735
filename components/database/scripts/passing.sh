# shellcheck shell=sh disable=SC2034 # $passing is for those that source this file
# Sourced, never run. The one table of failures that may be over in a moment, in the words of servers, poolers and drivers: setup,
# migrations, their guard and backups ask it. Each word has its line in test/unit/passing.test.ts, which says where it is from.

# passing TEXT: sets $passing to the kind of failure that the text tells of, or fails where none of it passes by itself. In the shell's own
# words alone, because an image may have no programs. Not looked for is what is said of other things too: "unexpected EOF" by shells of a
# script, "connection closed" by HTTP clients.
passing() {
  # With an edge at both ends, so that codes are found as whole words.
  case " $1 " in
    *'too many clients'* | *'too many connections'* | *'connection slots are reserved'* | *'remaining connection slots'* | \
      *'no more connections allowed'* | *'client connections exceeded'* | *'ax client connections reached'* | *query_wait_timeout* | \
      *'connection pool has been exhausted'* | *'connection from the connection pool'* | *'obtain a connection from the pool'* | \
      *'Connection is not available, request timed out'* | *'Timeout acquiring a connection'* | *ConnectionAcquireTimeoutError* | \
      *'QueuePool limit of size'* | *"couldn't get a connection after"* | *'connection not available and request was dropped'* | \
      *'pool timed out while waiting'* | *[!0-9A-Za-z]P2024[!0-9A-Za-z]* | *[!0-9A-Za-z]53300[!0-9A-Za-z]*)
      passing='too many connections'
      ;;
    *'deadlock detected'* | *'could not serialize access'* | *'due to lock timeout'* | *'could not obtain lock on'* | \
      *'tuple concurrently '* | *'is being accessed by other users'* | *'violates unique constraint "pg_'* | \
      *'another migration process is currently running'* | *'Another migration is already running'* | *"can't acquire database lock"* | \
      *'acquire a postgres advisory lock'* | *'exceeded while attempting to acquire PostgreSQL advisory lock'* | \
      *'write conflict or a deadlock'* | *[!0-9A-Za-z]P2034[!0-9A-Za-z]* | \
      *[!0-9A-Za-z]40P01[!0-9A-Za-z]* | *[!0-9A-Za-z]55P03[!0-9A-Za-z]* | *'SQLSTATE 40001'* | *[!0-9A-Za-z]'40001: '*)
      passing='another session was in the way'
      ;;
    *'due to statement timeout'*)
      passing='a statement took too long'
      ;;
    *'database system is '*' up'* | *'database system is shutting down'* | *'database system is in recovery'* | \
      *'database system is not '*'accepting connections'* | *'due to administrator command'* | \
      *'because of crash of another server process'* | *[!0-9A-Za-z]57P0[123][!0-9A-Za-z]* | \
      *'pgbouncer cannot connect to server'* | *'login has been failing, try again later'* | *'cached error: connect '* | \
      *'server DNS lookup failed'* | *'(server down)'* | *'server conn crashed'*)
      passing='not ready'
      ;;
    *'in a read-only transaction'* | *'during recovery'* | *'session is read-only'* | *'server is in hot standby mode'*)
      passing='read-only'
      ;;
    *[Cc]'onnection refused'* | *ECONNREFUSED* | *econnrefused* | *'refused. Check that the hostname'* | *'Connect call failed'*)
      passing='connection refused'
      ;;
    *'could not translate host name'* | *'Name or service not known'* | *'emporary failure in name resolution'* | \
      *'No address associated with hostname'* | *'Name does not resolve'* | *'failed to lookup address information'* | \
      *ENOTFOUND* | *EAI_AGAIN* | *'no such host'* | *': server misbehaving'* | *UnknownHostException* | *:nxdomain* | \
      *'SocketException (00000001, 11)'*)
      passing='host not found'
      ;;
    *'timeout expired'* | *[Cc]'onnection timed out'* | *'peration timed out'* | *[Cc]'onnect timed out'* | *'Read timed out'* | \
      *'Connection attempt timed out'* | *'The connection attempt failed'* | *'peration has timed out'* | *'during reading attempt'* | \
      *ETIMEDOUT* | *EHOSTUNREACH* | *ENETUNREACH* | *[Nn]'o route to host'* | *'etwork is unreachable'* | *'Host is unreachable'* | \
      *'i/o timeout'* | *'context deadline exceeded'* | *TimeoutError* | *CONNECT_TIMEOUT* | *'due to connection timeout'* | \
      *'timeout exceeded when trying to connect'* | *'was reached but timed out'* | *'Operations timed out'* | \
      *"Can't reach database server"* | *'Failed to connect to '* | *[!0-9A-Za-z]P100[128][!0-9A-Za-z]*)
      passing='no answer'
      ;;
    *[Cc]'onnection reset'* | *ECONNRESET* | *'write EPIPE'* | *[Bb]'roken pipe'* | *'closed the connection'* | \
      *'onnection terminated unexpectedly'* | *'connection to server was lost'* | *'EOF detected'* | *java.io.EOFException* | \
      *'onnection has been closed'* | *'the connection is closed'* | *'the connection is lost'* | *': connection is closed'* | \
      *'driver: bad connection'* | *'sending to the backend'* | *'closed in the middle of operation'* | *'unexpected connection_lost'* | \
      *'Exception while reading from stream'* | *'Exception while writing to stream'* | *'consuming input failed'* | \
      *'could not receive data from server'* | *'could not send data to server'* | *'no connection to the server'* | \
      *'message: unexpected EOF'* | *'(unexpected EOF)'* | *'conn closed'* | *'a connection error and is not queryable'* | \
      *CONNECTION_CLOSED* | *CONNECTION_ENDED* | *CONNECTION_DESTROYED* | *' recv: closed'* | *' send: closed'* | \
      *[!0-9A-Za-z]P1017[!0-9A-Za-z]*)
      passing='connection lost'
      ;;
    *)
      passing=''
      return 1
      ;;
  esac
}
