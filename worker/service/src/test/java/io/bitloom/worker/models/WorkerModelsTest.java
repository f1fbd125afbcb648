package io.bitloom.worker.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.model.ModelManifest;
import io.bitloom.common.net.ServerAddress;
import io.bitloom.engine.Engine;
import io.bitloom.engine.EngineConfig;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.engine.tensor.DeviceThread;
import io.bitloom.engine.tensor.TorchDevice;
import io.bitloom.v1.GetVersionRequest;
import io.bitloom.v1.GetVersionResponse;
import io.bitloom.v1.ModelServiceGrpc;
import io.bitloom.v1.ModelState;
import io.bitloom.v1.VersionManifest;
import io.bitloom.v1.VersionState;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real engines of the untrained model, whose versions differ by their descriptions. */
class WorkerModelsTest {

  private static final long MODEL = 100;

  @TempDir Path folder;

  private final Map<String, ByteString> registry = new HashMap<>();
  private final Semaphore changes = new Semaphore(0);
  private final DeviceThread device = new DeviceThread(TorchDevice.CPU);
  private volatile boolean answers = true;
  private Server server;
  private WorkerModels models;

  @BeforeEach
  void start() throws Exception {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Versions())
            .build()
            .start();
    models = models(2 * MODEL);
  }

  private WorkerModels models(long memory) {
    WorkerModels made =
        new WorkerModels(
            new RegistryCalls(
                List.of(ServerAddress.coordinator("c", "127.0.0.1:" + server.getPort())),
                InsecureChannelCredentials.create(),
                new Metadata()),
            new ModelCache(folder.resolve("cache"), 1 << 30),
            new Opener(),
            memory);
    made.onChange(changes::release);
    return made;
  }

  @AfterEach
  void stop() {
    models.close();
    device.close();
    server.shutdownNow();
  }

  /** A registry of versions without files. */
  private final class Versions extends ModelServiceGrpc.ModelServiceImplBase {
    @Override
    public void getVersion(GetVersionRequest request, StreamObserver<GetVersionResponse> caller) {
      ByteString json = registry.get(request.getVersion());
      if (json == null || !answers) {
        caller.onError(Status.UNAVAILABLE.withDescription("not now\nnor here").asException());
        return;
      }
      caller.onNext(
          GetVersionResponse.newBuilder()
              .setManifest(VersionManifest.newBuilder().setDescription(json))
              .build());
      caller.onCompleted();
    }
  }

  private final class Opener implements EngineOpener {
    @Override
    public long memory(ModelDirectory directory) {
      return directory.description().equals("large") ? 3 * MODEL : MODEL;
    }

    @Override
    public Engine open(ModelDirectory directory) {
      return Engine.open(
          directory,
          EngineConfig.of(TorchDevice.CPU),
          Optional.empty(),
          new SimpleMeterRegistry(),
          device);
    }
  }

  private String version(String description) throws Exception {
    Path untrained = ModelDirectory.builtIn(ModelDirectory.UNTRAINED).orElseThrow();
    String json =
        Files.readString(untrained.resolve(ModelManifest.FILE))
            .replaceFirst(
                "\"description\": *\"[^\"]*\"", "\"description\": \"" + description + "\"");
    ByteString bytes = ByteString.copyFromUtf8(json);
    String name = ModelManifest.parse(bytes.toByteArray()).versionName();
    registry.put(name, bytes);
    return name;
  }

  private ModelState state(String version) {
    return models.states().stream()
        .filter(state -> state.getVersion().equals(version))
        .findFirst()
        .orElse(ModelState.getDefaultInstance());
  }

  private void await(String version, VersionState state) throws InterruptedException {
    while (state(version).getState() != state) {
      assertTrue(
          changes.tryAcquire(3, TimeUnit.MINUTES),
          () -> version + " is not " + state + " but " + models.states());
    }
  }

  @Test
  void whatWasUsedLongestAgoMakesRoomWhenItsLeaseIsDrawn() throws Exception {
    String first = version("first");
    String second = version("second");
    String third = version("third");
    models.want(List.of(first));
    await(first, VersionState.VERSION_STATE_READY);
    models.want(List.of(second, first));
    await(second, VersionState.VERSION_STATE_READY);
    assertEquals(2, models.ready().size());
    assertTrue(models.take(first).isPresent());
    models.drawn(first);
    assertTrue(models.take(second).isPresent(), "used last, but held");
    assertTrue(models.take(first).isPresent());
    models.drawn(first); // now second was used longest ago, and has a lease

    models.want(List.of(third, second, first));
    await(second, VersionState.VERSION_STATE_DRAINING);
    assertTrue(models.take(second).isEmpty(), "gets no more leases");
    assertEquals(VersionState.VERSION_STATE_LOADING, state(third).getState());
    models.drawn(second);
    await(third, VersionState.VERSION_STATE_READY);
    assertEquals(VersionState.VERSION_STATE_UNLOADED, state(second).getState());
    assertEquals("makes room for " + third, state(second).getReason());
    assertEquals(VersionState.VERSION_STATE_READY, state(first).getState());

    models.want(List.of(third, second)); // and there is room again
    await(second, VersionState.VERSION_STATE_READY);
    assertEquals(VersionState.VERSION_STATE_UNSPECIFIED, state(first).getState());
  }

  @Test
  void whatCannotFitSaysSoAndPushesNobodyOut() throws Exception {
    String small = version("small");
    String large = version("large");
    models.want(List.of(small));
    await(small, VersionState.VERSION_STATE_READY);
    models.want(List.of(large, small));
    await(large, VersionState.VERSION_STATE_UNLOADED);
    assertTrue(state(large).getReason().contains("300 bytes"), state(large).getReason());
    assertEquals(VersionState.VERSION_STATE_READY, state(small).getState());
  }

  @Test
  void whatFailsIsTriedAgain() throws Exception {
    String version = version("later");
    answers = false;
    models.want(List.of(version));
    await(version, VersionState.VERSION_STATE_FAILED);
    assertEquals("not now nor here", state(version).getReason());
    answers = true;
    await(version, VersionState.VERSION_STATE_READY);
  }
}
