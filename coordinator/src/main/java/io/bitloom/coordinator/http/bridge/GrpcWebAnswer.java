package io.bitloom.coordinator.http.bridge;

import com.google.protobuf.Message;
import io.grpc.Metadata;
import io.grpc.Status;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/** Messages as gRPC-Web has them, and after them the status, which HTTP/1 has no place for. */
final class GrpcWebAnswer implements Answer {

  private static final int TRAILERS = 0x80;
  private static final String BINARY = Metadata.BINARY_HEADER_SUFFIX;

  private final HttpServerResponse response;
  private final String type;
  private final boolean text;

  /**
   * @param type media type of the answer
   * @param text whether it is to be in Base64
   */
  GrpcWebAnswer(HttpServerResponse response, String type, boolean text) {
    this.response = response;
    this.type = type;
    this.text = text;
  }

  @Override
  public Buffer encode(Message message) {
    return frame(0, message.toByteArray());
  }

  private Buffer frame(int flags, byte[] bytes) {
    Buffer frame =
        Buffer.buffer(bytes.length + 5)
            .appendUnsignedByte((short) flags)
            .appendUnsignedInt(bytes.length)
            .appendBytes(bytes);
    return text ? Buffer.buffer(Base64.getEncoder().encode(frame.getBytes())) : frame;
  }

  @Override
  public void write(Buffer message) {
    open();
    response.write(message);
  }

  private void open() {
    if (!response.headWritten()) {
      response
          .setChunked(true)
          .putHeader("Content-Type", type)
          .putHeader("Cache-Control", "no-store");
    }
  }

  @Override
  public void end(Status status, Metadata trailers) {
    open();
    StringBuilder lines = new StringBuilder();
    lines.append("grpc-status:").append(status.getCode().value()).append("\r\n");
    if (status.getDescription() != null) {
      lines.append("grpc-message:").append(percentEncoded(status.getDescription())).append("\r\n");
    }
    for (String name : trailers.keys()) {
      lines.append(name).append(':').append(value(trailers, name)).append("\r\n");
    }
    response.end(frame(TRAILERS, lines.toString().getBytes(StandardCharsets.US_ASCII)));
  }

  private static String value(Metadata trailers, String name) {
    return name.endsWith(BINARY)
        ? Base64.getEncoder()
            .withoutPadding()
            .encodeToString(trailers.get(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER)))
        : trailers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
  }

  /** All but printable ASCII, and the sign itself. */
  private static String percentEncoded(String message) {
    StringBuilder encoded = new StringBuilder();
    for (byte b : message.getBytes(StandardCharsets.UTF_8)) {
      if (b >= ' ' && b <= '~' && b != '%') {
        encoded.append((char) b);
      } else {
        encoded.append(String.format(Locale.ROOT, "%%%02X", b));
      }
    }
    return encoded.toString();
  }
}
