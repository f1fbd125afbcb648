package io.bitloom.common.results;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Brings the entries of folders to the disk. Whoever asks while a folder is being synced shares the
 * next sync with all others who ask meanwhile, so that many files of one folder cost few syncs.
 */
final class FolderSyncs {

  /** The last sync of a folder that was asked for and has not begun. */
  private final Map<Path, CompletableFuture<Void>> next = new HashMap<>(); // guarded by this

  private final Map<Path, CompletableFuture<Void>> underWay = new HashMap<>(); // guarded by this

  /** Returns when all that was in the folder before this call is on the disk. */
  void sync(Path folder) throws IOException {
    CompletableFuture<Void> mine = new CompletableFuture<>();
    CompletableFuture<Void> before;
    CompletableFuture<Void> shared;
    synchronized (this) {
      shared = next.putIfAbsent(folder, mine);
      before = underWay.get(folder);
    }
    if (shared != null) {
      await(shared);
      return;
    }
    if (before != null) {
      before.exceptionally(e -> null).join();
    }
    synchronized (this) {
      next.remove(folder);
      underWay.put(folder, mine);
    }
    try {
      force(folder);
      mine.complete(null);
    } catch (IOException | RuntimeException | Error e) {
      mine.completeExceptionally(e);
      throw e;
    } finally {
      synchronized (this) {
        underWay.remove(folder, mine);
      }
    }
  }

  private static void await(CompletableFuture<Void> sync) throws IOException {
    try {
      sync.join();
    } catch (CompletionException e) {
      throw new IOException("another sync of the folder failed", e.getCause());
    }
  }

  private static void force(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
