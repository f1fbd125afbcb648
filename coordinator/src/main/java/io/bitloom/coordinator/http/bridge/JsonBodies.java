package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;

/** Bodies of JSON: none, one message, or a message a line. */
final class JsonBodies {

  /** Of one message; 10,000 prompts of a usual length take a quarter of it. */
  static final int MAX_BYTES = 8 << 20;

  private JsonBodies() {}

  /** A message that is all there once path and query are read. */
  static RequestBody none(JsonRequest request) {
    return new RequestBody() {
      @Override
      public List<Message> take(Buffer bytes) {
        return List.of(); // what a body of such a request means is not defined
      }

      @Override
      public List<Message> end() {
        return List.of(request.withBody(Buffer.buffer(), true));
      }
    };
  }

  /** One message. */
  static RequestBody whole(JsonRequest request) {
    return new RequestBody() {
      private final Buffer all = Buffer.buffer();

      @Override
      public List<Message> take(Buffer bytes) {
        append(all, bytes, bytes.length());
        return List.of();
      }

      @Override
      public List<Message> end() {
        return List.of(request.withBody(all, true));
      }
    };
  }

  /** A message a line; empty lines mean nothing. */
  static RequestBody lines(JsonRequest request) {
    return new Lines(request);
  }

  private static final class Lines implements RequestBody {

    private final JsonRequest request;
    private Buffer line = Buffer.buffer();
    private boolean begun;

    Lines(JsonRequest request) {
      this.request = request;
    }

    @Override
    public List<Message> take(Buffer bytes) {
      List<Message> messages = new ArrayList<>();
      int start = 0;
      for (int i = 0; i < bytes.length(); i++) {
        if (bytes.getByte(i) == '\n') {
          append(line, bytes.slice(start, i), i - start);
          endLine(messages);
          start = i + 1;
        }
      }
      append(line, bytes.slice(start, bytes.length()), bytes.length() - start);
      return messages;
    }

    @Override
    public List<Message> end() {
      List<Message> messages = new ArrayList<>();
      endLine(messages);
      return messages;
    }

    private void endLine(List<Message> messages) {
      if (!isBlank(line)) {
        messages.add(request.withBody(line, !begun));
        begun = true;
      }
      line = Buffer.buffer();
    }

    private static boolean isBlank(Buffer line) {
      for (int i = 0; i < line.length(); i++) {
        if (line.getByte(i) != ' ' && line.getByte(i) != '\t' && line.getByte(i) != '\r') {
          return false;
        }
      }
      return true;
    }
  }

  private static void append(Buffer all, Buffer bytes, int length) {
    if (all.length() + length > MAX_BYTES) {
      throw tooLarge();
    }
    all.appendBuffer(bytes);
  }

  static BitloomException tooLarge() {
    return new BitloomException(
        ErrorCode.MALFORMED_MESSAGE,
        "the body: a message of JSON must not have more than " + MAX_BYTES + " bytes");
  }
}
