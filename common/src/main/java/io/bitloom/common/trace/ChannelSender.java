package io.bitloom.common.trace;

import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.GrpcResponse;
import io.opentelemetry.sdk.common.export.GrpcSender;
import io.opentelemetry.sdk.common.export.GrpcSenderConfig;
import io.opentelemetry.sdk.common.export.GrpcStatusCode;
import io.opentelemetry.sdk.common.export.MessageWriter;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * OTLP over the gRPC library that is there anyway. The exporter's usual sender would bring an HTTP
 * client and another language's library along.
 */
final class ChannelSender implements GrpcSender {

  /** Which OTLP lets senders repeat: https://opentelemetry.io/docs/specs/otlp/#failures. */
  private static final List<String> REPEATABLE =
      List.of(
          "CANCELLED",
          "DEADLINE_EXCEEDED",
          "RESOURCE_EXHAUSTED",
          "ABORTED",
          "OUT_OF_RANGE",
          "UNAVAILABLE",
          "DATA_LOSS");

  private final GrpcSenderConfig config;
  private final ManagedChannel channel;
  private final MethodDescriptor<byte[], byte[]> method;

  ChannelSender(GrpcSenderConfig config) {
    this.config = config;
    URI endpoint = config.getEndpoint();
    boolean secure = "https".equals(endpoint.getScheme());
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(
            endpoint.getAuthority(), secure ? tls(config) : InsecureChannelCredentials.create());
    if (config.getRetryPolicy() != null) {
      builder.enableRetry().defaultServiceConfig(repeating(config.getRetryPolicy()));
    }
    channel = builder.build();
    method =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(config.getFullMethodName())
            .setRequestMarshaller(new Bytes())
            .setResponseMarshaller(new Bytes())
            .build();
  }

  private static ChannelCredentials tls(GrpcSenderConfig config) {
    TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
    if (config.getTrustManager() != null) {
      tls.trustManager(config.getTrustManager());
    }
    return tls.build();
  }

  private static Map<String, ?> repeating(RetryPolicy policy) {
    Map<String, ?> retry =
        Map.of(
            "maxAttempts", (double) policy.getMaxAttempts(),
            "initialBackoff", seconds(policy.getInitialBackoff()),
            "maxBackoff", seconds(policy.getMaxBackoff()),
            "backoffMultiplier", policy.getBackoffMultiplier(),
            "retryableStatusCodes", REPEATABLE);
    return Map.of("methodConfig", List.of(Map.of("name", List.of(Map.of()), "retryPolicy", retry)));
  }

  private static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%.3fs", time.toMillis() / 1e3);
  }

  @Override
  public void send(
      MessageWriter message, Consumer<GrpcResponse> onResponse, Consumer<Throwable> onError) {
    byte[] request;
    try {
      request = bytes(message);
    } catch (IOException e) {
      onError.accept(e);
      return;
    }
    CallOptions options =
        CallOptions.DEFAULT.withDeadlineAfter(
            config.getTimeout().toMillis(), TimeUnit.MILLISECONDS);
    if (config.getCompressor() != null) {
      options = options.withCompression(config.getCompressor().getEncoding());
    }
    ClientCall<byte[], byte[]> call = channel.newCall(method, options);
    call.start(new Answer(onResponse), headers());
    call.request(1);
    call.sendMessage(request);
    call.halfClose();
  }

  private static byte[] bytes(MessageWriter message) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(message.getContentLength());
    message.writeMessage(bytes);
    return bytes.toByteArray();
  }

  private Metadata headers() {
    Metadata headers = new Metadata();
    Map<String, List<String>> asked = config.getHeadersSupplier().get();
    if (asked != null) {
      asked.forEach(
          (name, values) -> {
            Metadata.Key<String> key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
            values.forEach(value -> headers.put(key, value));
          });
    }
    return headers;
  }

  @Override
  public CompletableResultCode shutdown() {
    channel.shutdownNow();
    return CompletableResultCode.ofSuccess();
  }

  private static final class Answer extends ClientCall.Listener<byte[]> {
    private final Consumer<GrpcResponse> listener;
    private byte[] message = {};

    private Answer(Consumer<GrpcResponse> listener) {
      this.listener = listener;
    }

    @Override
    public void onMessage(byte[] answer) {
      message = answer;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      listener.accept(new Response(status, message));
    }
  }

  private record Response(Status status, byte[] message) implements GrpcResponse {

    @Override
    public GrpcStatusCode getStatusCode() {
      return GrpcStatusCode.fromValue(status.getCode().value());
    }

    @Override
    public String getStatusDescription() {
      return status.getDescription();
    }

    @Override
    public byte[] getResponseMessage() {
      return message;
    }
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
