package io.bitloom.common.grpc;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.net.ServerAddress;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import java.util.List;

/** Keeps tokens off the network in plain text, where whoever sees one can use it. */
public final class TokenSecrecy {

  private TokenSecrecy() {}

  /**
   * Call it unless somebody has said that the network is trusted.
   *
   * @param token empty if there is none
   * @param addresses to one of which it will be sent
   * @throws ConfigException naming the address to which it may not be sent
   */
  public static void check(
      String token, ChannelCredentials credentials, List<ServerAddress> addresses) {
    if (token.isEmpty() || !(credentials instanceof InsecureChannelCredentials)) {
      return;
    }
    for (ServerAddress address : addresses) {
      if (!address.isLocal()) {
        throw new ConfigException(
            "coordinator",
            address,
            "must be reached by TLS (https:// or --tls) or --insecure, as a token is sent there");
      }
    }
  }
}
