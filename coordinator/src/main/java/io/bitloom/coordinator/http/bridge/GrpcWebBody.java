package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.grpc.GrpcServer;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Messages of gRPC-Web: a byte of flags, four of the length, the message; all of that perhaps in
 * Base64, whose parts end where their writer liked.
 *
 * @see <a href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md">PROTOCOL-WEB</a>
 */
final class GrpcWebBody implements RequestBody {

  private static final int HEAD = 5;
  private static final int TRAILERS = 0x80;
  private static final int BASE64_GROUP = 4;

  private final MethodDescriptor<Message, Message> method;
  private final boolean text;
  private Buffer encoded = Buffer.buffer();
  private Buffer frames = Buffer.buffer();

  /**
   * @param text whether it is in Base64
   */
  GrpcWebBody(MethodDescriptor<Message, Message> method, boolean text) {
    this.method = method;
    this.text = text;
  }

  @Override
  public List<Message> take(Buffer bytes) {
    frames.appendBuffer(text ? decoded(bytes) : bytes);
    List<Message> messages = new ArrayList<>();
    int start = 0;
    while (frames.length() - start >= HEAD) {
      long length = frames.getUnsignedInt(start + 1);
      if (length > GrpcServer.MAX_MESSAGE_BYTES) {
        throw refused("a message must not have more than " + GrpcServer.MAX_MESSAGE_BYTES);
      }
      int end = start + HEAD + (int) length;
      if (frames.length() < end) {
        break;
      }
      int flags = frames.getUnsignedByte(start);
      if (flags == 0) {
        messages.add(message(frames.getBytes(start + HEAD, end)));
      } else if (flags != TRAILERS) { // those of a caller have no meaning
        throw refused("a message must not be compressed");
      }
      start = end;
    }
    frames = start == 0 ? frames : frames.getBuffer(start, frames.length());
    return messages;
  }

  @Override
  public List<Message> end() {
    if (frames.length() > 0 || encoded.length() > 0) {
      throw refused("the last message is not complete");
    }
    return List.of();
  }

  private Message message(byte[] bytes) {
    try {
      return method.parseRequest(new ByteArrayInputStream(bytes));
    } catch (StatusRuntimeException e) {
      throw refused("not a valid protobuf message");
    }
  }

  /** What the groups of four that are complete stand for; the rest waits. */
  private Buffer decoded(Buffer bytes) {
    String all = encoded.appendBuffer(bytes).toString(StandardCharsets.ISO_8859_1);
    int whole = all.length() / BASE64_GROUP * BASE64_GROUP;
    Buffer decoded = Buffer.buffer();
    int start = 0;
    try {
      while (start < whole) {
        int padding = all.indexOf('=', start);
        int end =
            padding < 0 || padding >= whole
                ? whole
                : (padding / BASE64_GROUP + 1) * BASE64_GROUP; // the end of a part
        decoded.appendBytes(Base64.getDecoder().decode(all.substring(start, end)));
        start = end;
      }
    } catch (IllegalArgumentException e) {
      throw refused("not valid Base64");
    }
    encoded = Buffer.buffer(all.substring(whole), StandardCharsets.ISO_8859_1.name());
    return decoded;
  }

  private static BitloomException refused(String why) {
    return new BitloomException(ErrorCode.MALFORMED_MESSAGE, "the body: " + why);
  }
}
