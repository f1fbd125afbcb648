package io.bitloom.coordinator.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.results.DirectoryResultStore;
import io.bitloom.common.results.ImageName;
import io.bitloom.v1.ImageFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WatchedResultStoreTest {

  private static final ByteString IMAGE = ByteString.copyFromUtf8("an image");

  @TempDir private Path directory;
  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);

  @Test
  void aStoreThatGoesOnFailingIsTroubleUntilItWorksAgain() throws IOException {
    Path root = directory.resolve("results");
    WatchedResultStore store =
        new WatchedResultStore(new DirectoryResultStore(root, false), now::get);
    Files.delete(root);
    Files.writeString(root, "in the way");

    fail(store);
    assertEquals(Optional.empty(), store.trouble(), "may pass");
    now.set(now.get().plusSeconds(60));
    fail(store);
    assertTrue(store.trouble().orElse("").startsWith("cannot store "), store.trouble()::toString);
    assertFalse(store.trouble().get().contains("/"), store.trouble()::toString);

    Files.delete(root);
    store.put(name(), IMAGE);
    assertEquals(Optional.empty(), store.trouble());
  }

  private static void fail(WatchedResultStore store) {
    BitloomException e = assertThrows(BitloomException.class, () -> store.put(name(), IMAGE));
    assertEquals(ErrorCode.RESULT_STORE_UNAVAILABLE, e.code());
  }

  private static ImageName name() {
    return new ImageName("job-1", 0, 0, ImageFormat.IMAGE_FORMAT_PNG, ImageName.sha256(IMAGE));
  }
}
