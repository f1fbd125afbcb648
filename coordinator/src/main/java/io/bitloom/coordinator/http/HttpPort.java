package io.bitloom.coordinator.http;

import com.google.gson.JsonObject;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.config.ListenConfig;
import io.bitloom.coordinator.config.PortConfig;
import io.bitloom.coordinator.http.bridge.Bridge;
import io.bitloom.coordinator.http.json.HttpErrors;
import io.bitloom.coordinator.http.json.HttpJson;
import io.bitloom.coordinator.training.TrainingRuns;
import io.grpc.Channel;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** The port for people and machines that watch: health, metrics, JSON and the jobs page. */
public final class HttpPort implements AutoCloseable {

  /**
   * Nothing here has a body but what goes over the bridge; a client that sends an empty object for
   * one is well.
   */
  private static final int MAX_BODY_BYTES = 64 << 10;

  /** Conditions and ids of prompts are in URLs; longer ones are refused with 414. */
  private static final int MAX_URL_BYTES = 64 << 10;

  private static final int NOT_FOUND = 404;
  private static final int TOO_LARGE = 413;
  private static final int INTERNAL_ERROR = 500;

  private final Vertx vertx;
  private final HostCheck hosts;
  private final Cors cors;
  private final int mostConnections;
  private final JsonApi api;
  private final HttpAccess access;
  private final Supplier<Optional<String>> trouble;
  private final MetricsPage metrics;
  private final TrainingView training;
  private final LiveView live;
  private final Bridge bridge;
  private final HttpServer server;
  private int connections; // of the event loop

  /**
   * Starts to listen.
   *
   * @param listen by which names the port may be called, and by whose pages
   * @param tenants who is let in
   * @param services where the services are that are called over HTTP too
   * @param runs training runs that reported
   * @param trouble why {@code /health/ready} answers no; empty: it answers yes
   * @throws IOException if the address cannot be bound
   */
  public HttpPort(
      ListenConfig listen,
      Tenants tenants,
      Channel services,
      JsonApi api,
      TrainingRuns runs,
      MetricsPage metrics,
      Supplier<Optional<String>> trouble)
      throws IOException {
    this.vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(2));
    this.cors = new Cors(listen.cors());
    this.hosts = new HostCheck(listen.knownHosts(), cors);
    PortConfig port = listen.http();
    this.mostConnections = port.connections().most();
    this.api = api;
    this.access = new HttpAccess(tenants);
    this.training = new TrainingView(runs);
    this.trouble = trouble;
    this.metrics = metrics;
    Duration silence = LiveView.silence(port.connections().idleTimeout());
    this.live = new LiveView(vertx, silence, () -> api.state(vertx, tenants.ourselves()));
    this.bridge = new Bridge(services, silence, HttpAccess::token);
    this.server =
        vertx
            .createHttpServer(options(port))
            .connectionHandler(this::accept)
            .requestHandler(router());
    try {
      server.listen().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      vertx.close();
      String why = e.getCause() == null ? "no answer in time" : e.getCause().getMessage();
      throw new IOException(
          "cannot listen on "
              + port.bind()
              + ":"
              + port.port()
              + " ("
              + ListenConfig.HTTP_PORT.option()
              + "): "
              + why,
          e);
    } catch (InterruptedException e) {
      vertx.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static HttpServerOptions options(PortConfig port) {
    // Java's client hangs now and then when an answer of several frames meets its upgrade to
    // HTTP/2; browsers do not use HTTP/2 without TLS.
    HttpServerOptions options =
        new HttpServerOptions()
            .setHost(port.bind())
            .setPort(port.port())
            .setIdleTimeout((int) port.connections().idleTimeout().toMillis())
            .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
            .setMaxInitialLineLength(MAX_URL_BYTES)
            .setHttp2ClearTextEnabled(false);
    port.tls()
        .ifPresent(
            files ->
                options
                    .setSsl(true)
                    .setKeyCertOptions(
                        new PemKeyCertOptions()
                            .addCertPath(files.certificate().toString())
                            .addKeyPath(files.key().toString())));
    return options;
  }

  private void accept(HttpConnection connection) {
    if (connections == mostConnections) {
      connection.close();
      return;
    }
    connections++;
    connection.closeHandler(closed -> connections--);
  }

  private Router router() {
    Router router = Router.router(vertx);
    router.route().handler(this::secure);
    router.route().handler(hosts::check);
    Cors.PATHS.forEach(path -> router.route(path).handler(cors::tell));
    Cors.PATHS.forEach(path -> router.route(path).handler(access::everybody));
    bridge.addTo(router, HttpAccess::fromOurPages);
    router.route().handler(BodyHandler.create(false).setBodyLimit(MAX_BODY_BYTES));
    router.get("/health/live").handler(context -> health(context, Optional.empty()));
    router.get("/health/ready").handler(context -> health(context, trouble.get()));
    router.get("/metrics").handler(access::operators).handler(metrics::send);
    api.addTo(router, access);
    router
        .get("/api/v1/training")
        .handler(access::operators)
        .handler(context -> HttpJson.send(context, 200, training.all()));
    router
        .get("/api/v1/training/:run/picture")
        .handler(access::operators)
        .handler(training::picture);
    router
        .post("/api/v1/training/:run/stop")
        .handler(access::operators)
        .handler(HttpAccess::fromOurPages)
        .handler(training::stop);
    router.get("/api/v1/events").handler(access::operators).handler(this::events);
    router.get("/").handler(context -> context.redirect("/jobs"));
    page(router, "/jobs", "jobs.html");
    page(router, "/training", "training.html");
    page(router, "/api", "api.html");
    JsonObject document = bridge.openApi();
    router.get("/api/openapi.json").handler(context -> HttpJson.send(context, 200, document));
    PageFile.PARTS.forEach(name -> page(router, "/pages/" + name, name));
    router.route("/api/*").handler(HttpPort::nothingHere);
    router.route().failureHandler(this::failed);
    return router;
  }

  private void page(Router router, String path, String file) {
    router.get(path).handler(access::operators).handler(new PageFile(file)::send);
  }

  private void secure(RoutingContext context) {
    context
        .response()
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("X-Frame-Options", "DENY")
        .putHeader("Referrer-Policy", "no-referrer");
    context.next();
  }

  private static void nothingHere(RoutingContext context) {
    HttpServerRequest request = context.request();
    String call = request.method() + " " + FieldViolation.shown(request.path());
    HttpErrors.send(
        context,
        NOT_FOUND,
        new BitloomException(ErrorCode.METHOD_NOT_FOUND, "there is no " + call));
  }

  private void failed(RoutingContext context) {
    if (context.statusCode() == TOO_LARGE) {
      refuseBody(context);
    } else if (context.failure() == null || context.statusCode() < INTERNAL_ERROR) {
      context.response().setStatusCode(context.statusCode()).end();
    } else {
      HttpErrors.send(context, context.failure());
    }
  }

  /** What would follow is not read. */
  private static void refuseBody(RoutingContext context) {
    context
        .response()
        .setStatusCode(TOO_LARGE)
        .putHeader("Connection", "close")
        .end()
        .onComplete(sent -> context.request().connection().close());
  }

  private static void health(RoutingContext context, Optional<String> trouble) {
    JsonObject body = new JsonObject();
    body.addProperty("status", trouble.isEmpty() ? "UP" : "DOWN");
    trouble.ifPresent(why -> body.addProperty("reason", why));
    HttpJson.send(context, trouble.isEmpty() ? 200 : 503, body);
  }

  private void events(RoutingContext context) {
    if (!live.add(context.response())) {
      context.fail(503);
    }
  }

  public int port() {
    return server.actualPort();
  }

  @Override
  public void close() {
    vertx.close();
  }
}
