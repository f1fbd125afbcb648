package io.bitloom.coordinator.api;

import io.bitloom.coordinator.http.NodeProgram;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The proto files, by the rules in their {@code buf.yaml}. */
class ProtoFilesTest {

  private static final String BUF = "@bufbuild/buf@1.75.0";

  @TempDir Path folder;

  @Test
  void bufHasNothingToSay() throws Exception {
    String protos = Path.of("..", "proto").toAbsolutePath().normalize().toString();
    NodeProgram.require(folder, "npx", "--yes", BUF, "--version");
    NodeProgram.run(folder, "npx", "--yes", BUF, "lint", protos);
  }
}
