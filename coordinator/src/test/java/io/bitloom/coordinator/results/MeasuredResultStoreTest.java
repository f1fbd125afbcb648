package io.bitloom.coordinator.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.results.DirectoryResultStore;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.telemetry.StoreMetrics;
import io.bitloom.v1.ImageFormat;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeasuredResultStoreTest {

  private static final ByteString IMAGE = ByteString.copyFromUtf8("image");

  @TempDir Path folder;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void callsAndBytesAreCountedAndSoIsWhatFails() {
    MeasuredResultStore store =
        new MeasuredResultStore(
            new DirectoryResultStore(folder, false), new StoreMetrics("directory", registry));
    ByteString digest = ImageName.sha256(IMAGE);
    ImageName name = new ImageName("job", 0, 0, ImageFormat.IMAGE_FORMAT_PNG, digest);

    String path = store.put(name, IMAGE);
    assertEquals(IMAGE, store.read(path, digest));
    store.delete("job");
    assertThrows(BitloomException.class, () -> store.read(path, digest));

    assertEquals(1, calls("put", "ok"));
    assertEquals(1, calls("read", "ok"));
    assertEquals(1, calls("read", "error"));
    assertEquals(1, calls("delete", "ok"));
    assertEquals(0, calls("put", "error"));
    assertEquals(IMAGE.size(), bytes("in"));
    assertEquals(IMAGE.size(), bytes("out"));
  }

  private long calls(String call, String result) {
    return registry
        .get("bitloom.store.call")
        .tags("store", "directory", "call", call, "result", result)
        .timer()
        .count();
  }

  private double bytes(String direction) {
    return registry.get("bitloom.store.data").tag("direction", direction).counter().count();
  }
}
