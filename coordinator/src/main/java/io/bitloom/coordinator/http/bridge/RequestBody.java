package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.Message;
import io.vertx.core.buffer.Buffer;
import java.util.List;

/**
 * Finds the messages in the body of a request. Not on the event loop, and in one thread at a time.
 */
interface RequestBody {

  /**
   * The messages that are complete with the bytes that have come.
   *
   * @throws io.bitloom.common.error.BitloomException if they are none
   */
  List<Message> take(Buffer bytes);

  /** Those that are complete as nothing more comes; likewise. */
  List<Message> end();
}
