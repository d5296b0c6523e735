// An S3 server for tests: s3 FOLDER keeps buckets as folders there and listens on :9000. Its one account is that of
// ROOT_ACCESS_KEY_ID and ROOT_SECRET_ACCESS_KEY.
//
// It is Versity's gateway, because that is a server people run, checks signatures and keeps what it is given in files; mocks (moto,
// s3rver, gofakes3) let everybody in or hold to less of the protocol, which is where backups fail. Only the gateway's library over
// plain files is built, without its other backends, in half the time of its own command.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func run(folder string) error {
	// It keeps what S3 knows of an object beside its content in extended attributes: better to fail now than at the first upload.
	if err := (meta.XattrMeta{}).Test(folder); err != nil {
		return fmt.Errorf("extended attributes in %s: %w", folder, err)
	}
	// Without a limit no object can be copied within the server; this is S3's own.
	store, err := posix.New(folder, meta.XattrMeta{}, posix.PosixOpts{CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return embedgw.RunVersityGW(ctx, store, &embedgw.Config{
		RootUserAccess:    os.Getenv("ROOT_ACCESS_KEY_ID"),
		RootUserSecret:    os.Getenv("ROOT_SECRET_ACCESS_KEY"),
		Ports:             []string{":9000"},
		HealthPath:        "/health",
		MaxConnections:    1000,
		MaxRequests:       1000,
		MultipartMaxParts: 10000, // of the protocol
	})
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: s3 FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
