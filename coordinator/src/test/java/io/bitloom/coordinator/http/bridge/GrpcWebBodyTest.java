package io.bitloom.coordinator.http.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.v1.GetJobRequest;
import io.grpc.MethodDescriptor;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GrpcWebBodyTest {

  private static final MethodDescriptor<Message, Message> GET_JOB =
      ApiMethod.all().stream()
          .filter(method -> method.proto().getName().equals("GetJob"))
          .findFirst()
          .orElseThrow()
          .grpc();

  private static final List<Message> MESSAGES =
      List.of(
          GetJobRequest.newBuilder().setName("jobs/1").build(),
          GetJobRequest.getDefaultInstance(),
          GetJobRequest.newBuilder().setName("jobs/" + "x".repeat(300)).build());

  private static Buffer frame(int flags, byte[] bytes) {
    return Buffer.buffer().appendByte((byte) flags).appendInt(bytes.length).appendBytes(bytes);
  }

  private static List<Message> read(Buffer body, boolean text, int step) {
    GrpcWebBody reader = new GrpcWebBody(GET_JOB, text);
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < body.length(); i += step) {
      messages.addAll(reader.take(body.getBuffer(i, Math.min(body.length(), i + step))));
    }
    messages.addAll(reader.end());
    return messages;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 7, 100, 10_000})
  void messagesAreFoundHoweverTheirBytesCome(int step) {
    Buffer body = Buffer.buffer();
    Buffer text = Buffer.buffer();
    for (Message message : MESSAGES) {
      Buffer frame = frame(0, message.toByteArray());
      body.appendBuffer(frame);
      text.appendBytes(Base64.getEncoder().encode(frame.getBytes())); // each with its padding
    }
    assertEquals(MESSAGES, read(body, false, step));
    assertEquals(MESSAGES, read(text, true, step));
    assertEquals(
        MESSAGES, read(Buffer.buffer(Base64.getEncoder().encode(body.getBytes())), true, step));
  }

  @Test
  void whatIsNoMessageIsRefused() {
    Buffer good = frame(0, MESSAGES.get(0).toByteArray());
    for (Buffer bad :
        List.of(
            frame(1, new byte[3]),
            frame(0, new byte[] {-1}),
            good.getBuffer(0, good.length() - 1),
            Buffer.buffer().appendByte((byte) 0).appendInt(-1),
            Buffer.buffer().appendByte((byte) 0).appendInt(65 << 20))) {
      assertThrows(BitloomException.class, () -> read(bad, false, 100));
    }
    assertThrows(BitloomException.class, () -> read(Buffer.buffer("!!!!"), true, 100));
    assertThrows(BitloomException.class, () -> read(Buffer.buffer("AAA"), true, 100));
  }
}
