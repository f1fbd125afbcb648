package io.bitloom.worker.session;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Metadata;

/**
 * Who the worker is to its coordinator.
 *
 * @param token empty if it needs none
 * @param credentials how the connection is secured
 */
public record CoordinatorAccess(String token, ChannelCredentials credentials) {

  /** Nobody in particular, on a connection that is not secured. */
  public static final CoordinatorAccess OPEN =
      new CoordinatorAccess("", InsecureChannelCredentials.create());

  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /** What goes along with the stream. */
  public Metadata headers() {
    Metadata headers = new Metadata();
    if (!token.isEmpty()) {
      headers.put(AUTHORIZATION, "Bearer " + token);
    }
    return headers;
  }

  /** Without the token, which must not get into logs. */
  @Override
  public String toString() {
    return token.isEmpty() ? "without a token" : "with a token";
  }
}
