package io.bitloom.client.sdk;

import io.bitloom.common.grpc.GrpcErrors;
import io.grpc.Status;

/**
 * Tells a call that broke off from one that was refused. A coordinator that refuses says why. One
 * that goes away says so, or is cut off; and then it depends on how it ended, and on what stands
 * between, whether the transport calls it unavailable, cancelled or an internal error.
 */
final class BrokenCall {

  /** In the descriptions of streams that were reset and of connections that were closed. */
  private static final String BY_HTTP2 = "HTTP/2 error code";

  /** Netty's word for a connection that broke while something was being written. */
  private static final String CHANNEL_CLOSED = "channel closed";

  private BrokenCall() {}

  /**
   * Whether another attempt may help.
   *
   * @param answered whether this coordinator has ever answered; if not, one that is silent is none
   */
  static boolean is(Throwable failure, boolean answered) {
    Status status = Status.fromThrowable(failure);
    if (status.getCode() == Status.Code.UNAVAILABLE) {
      return true;
    }
    if (GrpcErrors.isFromBitloom(failure)) {
      return false;
    }
    String description = String.valueOf(status.getDescription());
    return switch (status.getCode()) {
      case CANCELLED -> true;
      case DEADLINE_EXCEEDED -> answered;
      default -> description.contains(BY_HTTP2) || description.startsWith(CHANNEL_CLOSED);
    };
  }
}
