package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import picocli.CommandLine.Option;

/** Where the coordinator is. */
final class ConnectionOptions {

  @Option(
      names = "--coordinator",
      paramLabel = "HOST:PORT",
      defaultValue = "${env:BITLOOM_COORDINATOR:-127.0.0.1:7700}",
      description = "The coordinator (default: ${DEFAULT-VALUE}, or BITLOOM_COORDINATOR).")
  private String coordinator;

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      defaultValue = "${env:BITLOOM_TOKEN:-}",
      description = "Who calls, if the coordinator asks for it (or BITLOOM_TOKEN).")
  private String token;

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

  String coordinator() {
    return coordinator;
  }

  /**
   * @throws IOException if a file of TLS cannot be read
   */
  BitloomClient client() throws IOException {
    return BitloomClient.builder(coordinator).token(token).credentials(credentials()).build();
  }

  private ChannelCredentials credentials() throws IOException {
    if (!tls && tlsCa.isEmpty() && tlsCertificate.isEmpty()) {
      return InsecureChannelCredentials.create();
    }
    TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
    if (!tlsCa.isEmpty()) {
      credentials.trustManager(new File(tlsCa));
    }
    if (!tlsCertificate.isEmpty()) {
      credentials.keyManager(new File(tlsCertificate), new File(tlsKey));
    }
    return credentials.build();
  }
}
