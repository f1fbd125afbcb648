package io.bitloom.coordinator.dispatch.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.DirectAccess;
import io.bitloom.common.results.DirectoryResultStore;
import io.bitloom.common.results.ImageName;
import io.bitloom.common.results.ResultStore;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.auth.WorkerRights;
import io.bitloom.coordinator.dispatch.DispatchLoop;
import io.bitloom.coordinator.dispatch.matching.Arrivals;
import io.bitloom.coordinator.dispatch.matching.Matcher;
import io.bitloom.coordinator.dispatch.matching.Speeds;
import io.bitloom.coordinator.models.ModelRegistry;
import io.bitloom.coordinator.models.ModelVersions;
import io.bitloom.coordinator.models.WantedModels;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.coordinator.telemetry.DispatchMetrics;
import io.bitloom.coordinator.telemetry.LoopMetrics;
import io.bitloom.coordinator.tracing.PromptTraces;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fault of the coordinator at the moment in which it would welcome a worker. */
class UnansweredHelloIT {

  @TempDir private Path directory;

  private final Queue<Throwable> faults = new ConcurrentLinkedQueue<>();
  private RedisConnection redis;
  private JobQueue queue;
  private DispatchLoop loop;
  private Matcher matcher;
  private ConnectedWorkers workers;
  private Server server;
  private ManagedChannel channel;

  /** A store that fails as often as it is told to when it is asked whether it takes uploads. */
  private final class FaultyStore implements ResultStore {

    private final ResultStore store = new DirectoryResultStore(directory, false);

    @Override
    public String put(ImageName name, ByteString image) {
      return store.put(name, image);
    }

    @Override
    public ByteString read(String path, ByteString sha256) {
      return store.read(path, sha256);
    }

    @Override
    public void delete(String job) {
      store.delete(job);
    }

    @Override
    public Optional<DirectAccess> directAccess() {
      Throwable fault = faults.poll();
      if (fault instanceof Error error) {
        throw error;
      } else if (fault instanceof RuntimeException exception) {
        throw exception;
      }
      return store.directAccess();
    }
  }

  /** Where anybody is let in as any worker. */
  private final class OpenDoor extends WorkerServiceGrpc.WorkerServiceImplBase {

    @Override
    public StreamObserver<ConnectRequest> connect(StreamObserver<ConnectResponse> stream) {
      return workers.connect(
          WorkerRights.unrestricted(""), (ServerCallStreamObserver<ConnectResponse>) stream);
    }
  }

  @BeforeEach
  void start() throws Exception {
    redis = RedisConnection.connect(TestRedis.uri(), "test");
    QueueSettings defaults = QueueSettings.DEFAULTS;
    queue =
        new RunningQueue(
            redis,
            new QueueSettings(
                "test-" + UUID.randomUUID(),
                defaults.maxAttempts(),
                defaults.isolateAfterFailures(),
                defaults.backoff(),
                defaults.maxBackoff(),
                defaults.ageing(),
                defaults.leaseDuration(),
                defaults.reapGrace(),
                defaults.sweepInterval()));
    loop = new DispatchLoop(new LoopMetrics(new SimpleMeterRegistry()));
    DispatchMetrics metrics = new DispatchMetrics(new SimpleMeterRegistry());
    matcher =
        new Matcher(
            loop,
            queue,
            TestCoordinator.QUICK_LEASES.duration(),
            Duration.ZERO,
            new Arrivals(),
            new Speeds(queue.models()),
            metrics);
    workers =
        new ConnectedWorkers(
            loop,
            matcher,
            queue,
            new ModelRegistry(
                queue.models(), new ModelVersions(queue.registry()), Optional.empty()),
            new WantedModels(queue.registry()),
            new FaultyStore(),
            TestCoordinator.QUICK_LEASES,
            Optional.empty(),
            metrics,
            PromptTraces.OFF);
    String name = InProcessServerBuilder.generateName();
    server = InProcessServerBuilder.forName(name).addService(new OpenDoor()).build().start();
    channel = InProcessChannelBuilder.forName(name).build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
    loop.close();
    workers.close();
    matcher.close();
    queue.close();
    redis.close();
  }

  @Test
  void endsTheStreamSoThatTheWorkerComesBack() throws Exception {
    faults.add(new IllegalStateException("a fault of this test"));
    faults.add(new NoClassDefFoundError("another fault of this test"));
    for (int i = 0; i < 2; i++) {
      ScriptedWorker worker = new ScriptedWorker(channel);
      worker.send(message -> message.setHello(ScriptedWorker.hello("w")));
      assertEquals(ErrorCode.INTERNAL, worker.failure());
    }
    assertTrue(faults.isEmpty());
    new ScriptedWorker(channel).welcome("w");
    assertEquals(1, workers.connectedWorkers().toCompletableFuture().get());
  }
}
