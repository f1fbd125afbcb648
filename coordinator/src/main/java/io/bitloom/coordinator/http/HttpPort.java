package io.bitloom.coordinator.http;

import com.google.gson.JsonObject;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.dispatch.Dispatcher;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.telemetry.ClusterMetrics;
import io.bitloom.coordinator.training.TrainingRuns;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListJobsRequest;
import io.grpc.Channel;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The port for people and machines that watch: health, metrics, JSON and the jobs page. */
public final class HttpPort implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(HttpPort.class);

  private final Vertx vertx;
  private final BatchClient client;
  private final HttpAccess access;
  private final JobQueue queue;
  private final Dispatcher dispatcher;
  private final Supplier<Optional<String>> trouble;
  private final PrometheusMeterRegistry registry;
  private final ClusterMetrics clusterMetrics;
  private final TrainingView training;
  private final LiveView live;
  private final HttpServer server;

  /**
   * Starts to listen.
   *
   * @param port 0 for any free one
   * @param tls secures the connections; empty: nothing does
   * @param tenants who is let in
   * @param services a channel to the gRPC services
   * @param runs training runs that reported
   * @param trouble why {@code /health/ready} answers no; empty: it answers yes
   * @throws IOException if the address cannot be bound
   */
  public HttpPort(
      String bind,
      int port,
      Optional<AccessConfig.Tls> tls,
      Tenants tenants,
      Channel services,
      JobQueue queue,
      Dispatcher dispatcher,
      TrainingRuns runs,
      Supplier<Optional<String>> trouble,
      PrometheusMeterRegistry registry,
      ClusterMetrics clusterMetrics)
      throws IOException {
    this.vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(2));
    this.client = new BatchClient(vertx, services);
    this.access = new HttpAccess(tenants);
    this.queue = queue;
    this.dispatcher = dispatcher;
    this.training = new TrainingView(runs);
    this.trouble = trouble;
    this.registry = registry;
    this.clusterMetrics = clusterMetrics;
    this.live = new LiveView(vertx, this::state);
    this.server = vertx.createHttpServer(options(bind, port, tls)).requestHandler(router());
    try {
      server.listen().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      vertx.close();
      throw new IOException("cannot listen on " + bind + ":" + port + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      vertx.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static HttpServerOptions options(String bind, int port, Optional<AccessConfig.Tls> tls) {
    // Java's client hangs now and then when an answer of several frames meets its upgrade to
    // HTTP/2;
    // browsers do not use HTTP/2 without TLS.
    HttpServerOptions options =
        new HttpServerOptions().setHost(bind).setPort(port).setHttp2ClearTextEnabled(false);
    tls.ifPresent(
        files ->
            options
                .setSsl(true)
                .setKeyCertOptions(
                    new PemKeyCertOptions()
                        .addCertPath(files.certificate().toString())
                        .addKeyPath(files.key().toString())));
    return options;
  }

  private Router router() {
    Router router = Router.router(vertx);
    router.route().handler(this::secure);
    router.get("/health/live").handler(context -> health(context, Optional.empty()));
    router.get("/health/ready").handler(context -> health(context, trouble.get()));
    router.get("/metrics").handler(access::operators).handler(this::metrics);
    router.route("/api/*").handler(access::everybody);
    router.get("/api/v1/jobs").handler(this::jobs);
    router.get("/api/v1/jobs/:job").handler(this::job);
    router.post("/api/v1/jobs/*").handler(HttpPort::fromOurPages);
    router.post("/api/v1/jobs/:job/pause").handler(context -> change(context, BatchClient::pause));
    router
        .post("/api/v1/jobs/:job/resume")
        .handler(context -> change(context, BatchClient::resume));
    router
        .post("/api/v1/jobs/:job/cancel")
        .handler(context -> change(context, BatchClient::cancel));
    router.get("/api/v1/models").handler(this::models);
    router
        .get("/api/v1/cluster")
        .handler(access::operators)
        .handler(context -> send(context, cluster()));
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
        .handler(HttpPort::fromOurPages)
        .handler(training::stop);
    router.get("/api/v1/events").handler(access::operators).handler(this::events);
    router.get("/").handler(context -> context.redirect("/jobs"));
    page(router, "/jobs", "jobs.html");
    page(router, "/training", "training.html");
    PageFile.PARTS.forEach(name -> page(router, "/pages/" + name, name));
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

  private void failed(RoutingContext context) {
    if (context.failure() == null) {
      context.response().setStatusCode(context.statusCode()).end();
    } else {
      if (!(context.failure() instanceof BitloomException)) {
        log.error("{} failed", context.request().path(), context.failure());
      }
      HttpErrors.send(context, context.failure());
    }
  }

  private static void health(RoutingContext context, Optional<String> trouble) {
    JsonObject body = new JsonObject();
    body.addProperty("status", trouble.isEmpty() ? "UP" : "DOWN");
    trouble.ifPresent(why -> body.addProperty("reason", why));
    HttpJson.send(context, trouble.isEmpty() ? 200 : 503, body);
  }

  private void metrics(RoutingContext context) {
    onEventLoop(clusterMetrics.refresh())
        .onComplete(
            refreshed ->
                context
                    .response()
                    .putHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                    .end(registry.scrape()));
  }

  private void jobs(RoutingContext context) {
    ListJobsRequest.Builder request = ListJobsRequest.newBuilder();
    String pageSize = context.request().getParam("page_size", "");
    if (!pageSize.isEmpty()) {
      request.setPageSize(integer("page_size", pageSize));
    }
    request.setPageToken(context.request().getParam("page_token", ""));
    request.setFilter(context.request().getParam("filter", ""));
    for (String state : context.queryParam("state")) {
      request.addStates(state(state));
    }
    send(context, client.of(context).listJobs(request.build()).map(HttpJson::of));
  }

  private static int integer(String field, String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw BitloomException.invalid(field, text, "must be a whole number");
    }
  }

  private static JobState state(String name) {
    try {
      return JobState.valueOf("JOB_STATE_" + name);
    } catch (IllegalArgumentException e) {
      throw BitloomException.invalid("state", name, "must be a state of a job, such as RUNNING");
    }
  }

  private void job(RoutingContext context) {
    String name = "jobs/" + context.pathParam("job");
    GetJobRequest request = GetJobRequest.newBuilder().setName(name).build();
    send(context, client.of(context).getJob(request).map(answer -> HttpJson.of(answer.getJob())));
  }

  /** A page of another site cannot send such a header without being asked for permission first. */
  private static void fromOurPages(RoutingContext context) {
    if (context.request().getHeader("X-Bitloom") == null) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED, "a change needs the header X-Bitloom, with any value");
    }
    context.next();
  }

  private void change(RoutingContext context, BiFunction<BatchClient, String, Future<Job>> change) {
    String name = "jobs/" + context.pathParam("job");
    send(context, change.apply(client.of(context), name).map(HttpJson::of));
  }

  private void models(RoutingContext context) {
    send(context, client.of(context).listModels().map(HttpJson::of));
  }

  private void events(RoutingContext context) {
    if (!live.add(context.response())) {
      context.fail(503);
    }
  }

  private Future<JsonObject> cluster() {
    return Future.all(onEventLoop(queue.backlog()), onEventLoop(dispatcher.workers()))
        .map(all -> ClusterView.of(all.resultAt(0), all.resultAt(1)));
  }

  private Future<JsonObject> state() {
    return Future.all(client.listJobs(ListJobsRequest.getDefaultInstance()), cluster())
        .map(
            all -> {
              JsonObject state = all.resultAt(1);
              state.add("jobs", HttpJson.of(all.resultAt(0)).getAsJsonObject().get("jobs"));
              return state;
            });
  }

  private <T> Future<T> onEventLoop(CompletionStage<T> stage) {
    return Future.fromCompletionStage(stage, vertx.getOrCreateContext());
  }

  private static <T extends com.google.gson.JsonElement> void send(
      RoutingContext context, Future<T> body) {
    body.onComplete(
        answer -> {
          if (answer.succeeded()) {
            HttpJson.send(context, 200, answer.result());
          } else {
            HttpErrors.send(context, answer.cause());
          }
        });
  }

  public int port() {
    return server.actualPort();
  }

  @Override
  public void close() {
    vertx.close();
  }
}
