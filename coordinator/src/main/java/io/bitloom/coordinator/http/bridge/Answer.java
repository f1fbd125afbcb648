package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.Message;
import io.grpc.Metadata;
import io.grpc.Status;
import io.vertx.core.buffer.Buffer;
import java.util.Optional;

/** Writes what a method answers. On the event loop, except for {@link #encode}. */
interface Answer {

  /** A message as it is sent. */
  Buffer encode(Message message);

  /** Sends a message that was encoded. */
  void write(Buffer message);

  /** Ends the answer. */
  void end(Status status, Metadata trailers);

  /**
   * What may be sent while there is nothing to say, so that the connection is not taken for idle.
   */
  default Optional<Buffer> signOfLife() {
    return Optional.empty();
  }
}
