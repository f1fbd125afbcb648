package io.bitloom.coordinator.http;

import com.google.gson.JsonObject;
import com.google.protobuf.ProtocolMessageEnum;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.json.EnumNames;
import io.bitloom.common.json.MessageJson;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.telemetry.ClusterMetrics;
import io.bitloom.coordinator.training.TrainingRuns;
import io.bitloom.v1.GetClusterResponse;
import io.bitloom.v1.GetJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.ListJobsResponse;
import io.bitloom.v1.ListPromptsRequest;
import io.bitloom.v1.PromptState;
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
import java.util.Arrays;
import java.util.List;
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
      TrainingRuns runs,
      Supplier<Optional<String>> trouble,
      PrometheusMeterRegistry registry,
      ClusterMetrics clusterMetrics)
      throws IOException {
    this.vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(2));
    this.client = new BatchClient(vertx, services);
    this.access = new HttpAccess(tenants);
    this.queue = queue;
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
      String why = e.getCause() == null ? "no answer in time" : e.getCause().getMessage();
      throw new IOException("cannot listen on " + bind + ":" + port + " (--http-port): " + why, e);
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
    router.get("/api/v1/jobs/:job/prompts").handler(this::prompts);
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
        .handler(context -> send(context, client.of(context).cluster().map(MessageJson::of)));
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
    request.setPageSize(pageSize(context));
    request.setPageToken(context.request().getParam("page_token", ""));
    request.setFilter(context.request().getParam("filter", ""));
    request.addAllStates(states(context, JobState.class, "must be a state of a job"));
    send(context, client.of(context).listJobs(request.build()).map(MessageJson::of));
  }

  private void prompts(RoutingContext context) {
    ListPromptsRequest.Builder request = ListPromptsRequest.newBuilder();
    request.setName(name(context));
    request.setPageSize(pageSize(context));
    request.setPageToken(context.request().getParam("page_token", ""));
    request.setFilter(context.request().getParam("filter", ""));
    request.addAllStates(states(context, PromptState.class, "must be a state of a prompt"));
    request.addAllCustomIds(context.queryParam("custom_id"));
    send(context, client.of(context).listPrompts(request.build()).map(MessageJson::of));
  }

  /** 0 if nothing is asked for. */
  private static int pageSize(RoutingContext context) {
    String text = context.request().getParam("page_size", "");
    try {
      return text.isEmpty() ? 0 : Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw BitloomException.invalid("page_size", text, "must be a whole number");
    }
  }

  /** {@code ?state=running,paused}, or several of that; empty ones say nothing. */
  private static <E extends Enum<E> & ProtocolMessageEnum> List<E> states(
      RoutingContext context, Class<E> type, String rule) {
    return context.queryParam("state").stream()
        .flatMap(states -> Arrays.stream(states.split(",")))
        .filter(state -> !state.isBlank())
        .map(
            state ->
                EnumNames.find(type, state.strip())
                    .orElseThrow(() -> BitloomException.invalid("state", state, rule)))
        .toList();
  }

  private void job(RoutingContext context) {
    GetJobRequest request = GetJobRequest.newBuilder().setName(name(context)).build();
    send(
        context, client.of(context).getJob(request).map(answer -> MessageJson.of(answer.getJob())));
  }

  private static String name(RoutingContext context) {
    return "jobs/" + context.pathParam("job");
  }

  /** A page of another site cannot send such a header without being asked for permission first. */
  private static void fromOurPages(RoutingContext context) {
    if (context.request().getHeader("X-Bitloom") == null) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED,
          "a change needs the header X-Bitloom, with any value, which pages of others cannot send");
    }
    context.next();
  }

  private void change(RoutingContext context, BiFunction<BatchClient, String, Future<Job>> change) {
    send(context, change.apply(client.of(context), name(context)).map(MessageJson::of));
  }

  private void models(RoutingContext context) {
    send(context, client.of(context).listModels().map(MessageJson::of));
  }

  private void events(RoutingContext context) {
    if (!live.add(context.response())) {
      context.fail(503);
    }
  }

  private Future<JsonObject> state() {
    return Future.all(client.listJobs(ListJobsRequest.getDefaultInstance()), client.cluster())
        .map(
            all -> {
              JsonObject state = MessageJson.of(all.<GetClusterResponse>resultAt(1));
              ListJobsResponse listed = all.resultAt(0);
              state.add("jobs", MessageJson.of(listed).get("jobs"));
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
