package io.bitloom.common.cli;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.grpc.TokenSecrecy;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.common.net.ServerAddress.Security;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Who a program is to its coordinator, and how the connection is secured. */
public final class AccessOptions {

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      defaultValue = "${env:BITLOOM_TOKEN:-}",
      description = "Who calls, if the coordinator asks for it (or BITLOOM_TOKEN).")
  private String token;

  @Option(
      names = "--insecure",
      arity = "0",
      fallbackValue = "true",
      defaultValue = "${env:BITLOOM_INSECURE:-false}",
      description = "Send the token in plain text, also to another machine.")
  private boolean insecure;

  @Option(names = "--tls", description = "Connect by TLS, trusting what this machine trusts.")
  private boolean tls;

  @Option(
      names = "--tls-ca",
      paramLabel = "FILE",
      defaultValue = "${env:BITLOOM_TLS_CA:-}",
      description = "Connect by TLS, trusting these certificates (PEM).")
  private String tlsCa;

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      defaultValue = "${env:BITLOOM_TLS_CLIENT_CERT:-}",
      description = "Certificate to show to the coordinator (PEM).")
  private String tlsCertificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      defaultValue = "${env:BITLOOM_TLS_CLIENT_KEY:-}",
      description = "Private key of --tls-cert (PEM, PKCS#8).")
  private String tlsKey;

  /** The token; empty if there is none. */
  public String token() {
    return token;
  }

  /** Whether the token may cross a network in plain text. */
  public boolean insecure() {
    return insecure;
  }

  /**
   * How the connection is secured: by TLS if an option or {@code https://} in an address says so.
   *
   * @param addresses of which one is connected to; they have to agree
   * @throws ParameterException naming options and addresses that contradict each other, a file that
   *     cannot be read or is no PEM file, or an address to which the token may not be sent
   */
  public ChannelCredentials credentials(List<ServerAddress> addresses) {
    if (tlsCertificate.isEmpty() != tlsKey.isEmpty()) {
      throw new ParameterException(command.commandLine(), "--tls-cert and --tls-key go together");
    }
    ChannelCredentials credentials =
        isSecured(addresses) ? tlsCredentials() : InsecureChannelCredentials.create();
    if (!insecure) {
      keepSecret(credentials, addresses);
    }
    return credentials;
  }

  private void keepSecret(ChannelCredentials credentials, List<ServerAddress> addresses) {
    try {
      TokenSecrecy.check(token, credentials, addresses);
    } catch (ConfigException e) {
      throw new ParameterException(command.commandLine(), "--" + e.getMessage());
    }
  }

  private boolean isSecured(List<ServerAddress> addresses) {
    boolean byOption = tls || !tlsCa.isEmpty() || !tlsCertificate.isEmpty();
    boolean plain = addresses.stream().anyMatch(a -> a.security() == Security.PLAIN);
    long secured = addresses.stream().filter(a -> a.security() == Security.TLS).count();
    if (plain && byOption) {
      throw new ParameterException(
          command.commandLine(), "--tls contradicts http:// in the coordinator's address");
    }
    if (secured > 0 && !byOption && secured < addresses.size()) {
      throw new ParameterException(
          command.commandLine(), "coordinators must have https:// all or none of them");
    }
    return byOption || secured > 0;
  }

  private ChannelCredentials tlsCredentials() {
    TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
    try {
      if (!tlsCa.isEmpty()) {
        credentials.trustManager(new File(tlsCa));
      }
      if (!tlsCertificate.isEmpty()) {
        credentials.keyManager(new File(tlsCertificate), new File(tlsKey));
      }
    } catch (IOException e) {
      throw new ParameterException(
          command.commandLine(), "a file of --tls cannot be read: " + e.getMessage());
    }
    return credentials.build();
  }
}
