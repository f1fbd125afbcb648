package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.cli.AccessOptions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the coordinator is. */
final class ConnectionOptions {

  @Option(
      names = "--coordinator",
      paramLabel = "HOST:PORT",
      defaultValue = "${env:BITLOOM_COORDINATOR:-127.0.0.1:7700}",
      description = "The coordinator (default: ${DEFAULT-VALUE}, or BITLOOM_COORDINATOR).")
  private String coordinator;

  @Mixin private AccessOptions access;

  String coordinator() {
    return coordinator;
  }

  BitloomClient client() {
    return BitloomClient.builder(coordinator)
        .token(access.token())
        .credentials(access.credentials())
        .build();
  }
}
