package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.cli.AccessOptions;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.net.ServerAddress;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where the coordinator is. */
final class ConnectionOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--coordinator",
      paramLabel = "HOST:PORT",
      defaultValue = "${env:BITLOOM_COORDINATOR:-127.0.0.1:7700}",
      description = {
        "The coordinator (default: ${DEFAULT-VALUE}, or BITLOOM_COORDINATOR).",
        "Also http://…, https://…, dns:///…, unix:/…"
      })
  private String coordinator;

  @Mixin private AccessOptions access;

  /**
   * The coordinator's address.
   *
   * @throws ParameterException if it is none
   */
  ServerAddress coordinator() {
    try {
      return ServerAddress.coordinator("coordinator", coordinator);
    } catch (ConfigException e) {
      throw new ParameterException(command.commandLine(), "--" + e.getMessage());
    }
  }

  BitloomClient client() {
    ServerAddress address = coordinator();
    return BitloomClient.builder(address)
        .token(access.token())
        .insecure(access.insecure())
        .credentials(access.credentials(List.of(address)))
        .build();
  }
}
