package io.bitloom.coordinator.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.secret.Secret;
import io.bitloom.v1.Hello;
import io.bitloom.v1.ListModelsResponse;
import io.bitloom.v1.Model;
import io.bitloom.v1.ModelPool;
import io.bitloom.v1.WorkerModel;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClusterWorkersTest {

  private static WorkerProfile worker(String pool, String... models) {
    Hello.Builder hello =
        Hello.newBuilder().setWorkerId("w").setPool(pool).setInstanceSecret(Secret.draw().text());
    for (String model : models) {
      hello.addModels(WorkerModel.newBuilder().setName(model).addSizes("0.06M"));
    }
    return new WorkerProfile(hello.build());
  }

  private static ModelPool pool(String name, int workers) {
    return ModelPool.newBuilder().setPool(name).setWorkers(workers).build();
  }

  @Test
  void workersOfPoolsAreCountedAtAllCoordinators() {
    List<WorkerProfile> there =
        List.of(worker("gpu", "m", "n"), worker("gpu", "m", "n"), worker("", "m"));
    ClusterWorkers workers =
        ClusterWorkers.of(List.of(worker("gpu", "m")), List.of(ClusterWorkers.record(there)));
    assertEquals(4, workers.of("m"));
    assertEquals(List.of(pool("default", 1), pool("gpu", 3)), workers.pools("m"));
    assertEquals(List.of(pool("gpu", 2)), workers.pools("n"));
    assertEquals(3, workers.ofPool("gpu"));
    assertEquals(1, workers.ofPool("default"));
    assertEquals(0, workers.ofPool("none"));
    assertEquals(Set.of("m", "n"), workers.modelsOf("gpu"));
    assertEquals(Set.of("m"), workers.modelsOf("default"));
    assertEquals(Set.of(), workers.modelsOf("none"));
  }

  @Test
  void workersOfACoordinatorThatKnowsNoPoolsAreOfTheDefaultOne() {
    ByteString older =
        ListModelsResponse.newBuilder()
            .addModels(Model.newBuilder().setName("m").addSizes("0.06M").setWorkers(2))
            .build()
            .toByteString();
    ClusterWorkers workers = ClusterWorkers.of(List.of(), List.of(older));
    assertEquals(List.of(pool("default", 2)), workers.pools("m"));
    assertEquals(2, workers.ofPool("default"));
  }

  @Test
  void aPoolThatHasNoNameIsRefused() {
    for (String name : List.of(" ", "x".repeat(129), "a\nb")) {
      BitloomException error = assertThrows(BitloomException.class, () -> worker(name, "m"), name);
      assertEquals("hello.pool", error.violations().get(0).field());
    }
  }
}
