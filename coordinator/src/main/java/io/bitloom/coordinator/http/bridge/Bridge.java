package io.bitloom.coordinator.http.bridge;

import com.google.gson.JsonObject;
import com.google.protobuf.Message;
import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.coordinator.http.json.HttpErrors;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/** Every method of the service of jobs as a path of the HTTP port. */
public final class Bridge {

  /** For callers who do not say how long they wait for an answer that is one message. */
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  private static final int UNSUPPORTED_MEDIA_TYPE = 415;
  private static final int TOO_LARGE = 413;

  private static final String JSON = "application/json";
  private static final Set<String> LINES =
      Set.of(JsonStream.LINES, "application/ndjson", "application/jsonl", "application/jsonlines");

  private static final String GRPC_WEB = "application/grpc-web";
  private static final String GRPC_WEB_TEXT = "application/grpc-web-text";
  private static final String PROTO = "+proto";

  /** Headers of a request that mean the same in a gRPC call. */
  private static final List<String> HANDED_ON = List.of("traceparent", "bitloom-submit-spans");

  private final Channel channel;
  private final Duration silence;
  private final Function<RoutingContext, String> token;
  private final List<ApiMethod> methods = ApiMethod.all();

  /**
   * @param channel where the services are
   * @param silence after so long without a message a stream gives a sign of life
   * @param token what a request shows for a token; null if nothing
   */
  public Bridge(Channel channel, Duration silence, Function<RoutingContext, String> token) {
    this.channel = channel;
    this.silence = silence;
    this.token = token;
  }

  /**
   * Adds all paths.
   *
   * @param guard looks at requests that change something, before all else
   */
  public void addTo(Router router, Consumer<RoutingContext> guard) {
    for (ApiMethod method : methods) {
      var route = router.route(method.verb(), method.path().route());
      if (!method.verb().name().equals("GET")) {
        route.handler(guard::accept);
      }
      route.handler(exchange -> call(method, exchange));
      // No guard: pages of others cannot send the type of such a body unasked.
      router
          .post("/" + method.grpc().getFullMethodName())
          .handler(exchange -> callByGrpcWeb(method, exchange));
    }
  }

  /** The document that describes all paths. */
  public JsonObject openApi() {
    return OpenApi.of(methods);
  }

  private void callByGrpcWeb(ApiMethod method, RoutingContext exchange) {
    String type = mediaType(exchange.request());
    String plain = type.endsWith(PROTO) ? type.substring(0, type.length() - PROTO.length()) : type;
    boolean text = plain.equals(GRPC_WEB_TEXT);
    if (!text && !plain.equals(GRPC_WEB)) {
      refuse(
          exchange,
          UNSUPPORTED_MEDIA_TYPE,
          BitloomException.invalid(
              "Content-Type", type, "must be " + GRPC_WEB + " or " + GRPC_WEB_TEXT));
      return;
    }
    RequestBody body = new GrpcWebBody(method.grpc(), text);
    Answer answer = new GrpcWebAnswer(exchange.response(), plain + PROTO, text);
    start(method, exchange, body, answer, null);
  }

  private void call(ApiMethod method, RoutingContext exchange) {
    JsonRequest request = new JsonRequest(method, exchange);
    RequestBody body = body(method, exchange, request);
    if (body == null) {
      return;
    }
    boolean streams = method.proto().isServerStreaming();
    boolean events = streams && accepts(exchange.request(), JsonStream.EVENTS);
    if (events) {
      request.setIfAbsent("after_cursor", exchange.request().getHeader("Last-Event-ID"));
    }
    Answer answer =
        streams ? new JsonStream(exchange, events) : new JsonAnswer(exchange, method.answerField());
    boolean unary = !streams && !method.proto().isClientStreaming();
    start(method, exchange, body, answer, unary ? DEADLINE : null);
  }

  private void start(
      ApiMethod method,
      RoutingContext exchange,
      RequestBody body,
      Answer answer,
      Duration standard) {
    CallOptions options = CallOptions.DEFAULT;
    Duration deadline = GrpcTimeout.of(exchange.request()).orElse(standard);
    if (deadline != null) {
      options = options.withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS);
    }
    ClientCall<Message, Message> call = channel.newCall(method.grpc(), options);
    boolean many = method.proto().isClientStreaming();
    new WebCall(exchange, call, many, body, answer).start(headers(exchange), silence);
  }

  private Metadata headers(RoutingContext exchange) {
    Metadata headers = new Metadata();
    String shown = token.apply(exchange);
    if (shown != null) {
      headers.put(Authentication.AUTHORIZATION, "Bearer " + shown);
    }
    for (String name : HANDED_ON) {
      String value = exchange.request().getHeader(name);
      if (value != null) {
        headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value);
      }
    }
    return headers;
  }

  /** Null if it is refused, and the answer given. */
  private static RequestBody body(ApiMethod method, RoutingContext exchange, JsonRequest request) {
    HttpServerRequest http = exchange.request();
    if (method.body().isEmpty()) {
      return JsonBodies.none(request);
    }
    String type = mediaType(http);
    boolean lines = method.proto().isClientStreaming() && LINES.contains(type);
    if (!lines && length(http) > JsonBodies.MAX_BYTES) {
      refuse(exchange, TOO_LARGE, JsonBodies.tooLarge());
      return null;
    }
    if (lines) {
      return JsonBodies.lines(request);
    }
    boolean empty = length(http) == 0 && http.getHeader(HttpHeaders.TRANSFER_ENCODING) == null;
    if (!empty && (!type.equals(JSON) || http.getHeader(HttpHeaders.CONTENT_ENCODING) != null)) {
      String also = method.proto().isClientStreaming() ? " or " + JsonStream.LINES : "";
      refuse(
          exchange,
          UNSUPPORTED_MEDIA_TYPE,
          BitloomException.invalid(
              "Content-Type", type, "must be " + JSON + also + ", without an encoding"));
      return null;
    }
    return JsonBodies.whole(request);
  }

  /** What would follow is not read. */
  private static void refuse(RoutingContext exchange, int status, BitloomException why) {
    exchange.response().putHeader("Connection", "close");
    exchange.response().endHandler(sent -> exchange.request().connection().close());
    HttpErrors.send(exchange, status, why);
  }

  private static long length(HttpServerRequest request) {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    return length == null ? 0 : Long.parseLong(length);
  }

  private static String mediaType(HttpServerRequest request) {
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    return type == null ? "" : type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
  }

  private static boolean accepts(HttpServerRequest request, String type) {
    String accepted = request.getHeader(HttpHeaders.ACCEPT);
    return accepted != null && accepted.toLowerCase(Locale.ROOT).contains(type);
  }
}
