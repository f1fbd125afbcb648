package io.bitloom.coordinator.http.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.bitloom.coordinator.http.NodeProgram;
import io.bitloom.v1.BatchServiceGrpc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenApiTest {

  private static final String REDOCLY = "@redocly/cli@2.77.0";

  @TempDir Path folder;

  @Test
  void everyMethodHasAPathAndWords() {
    List<ApiMethod> methods = ApiMethod.all();
    assertEquals(BatchServiceGrpc.getServiceDescriptor().getMethods().size(), methods.size());
    JsonObject document = OpenApi.of(methods);
    JsonObject append =
        document
            .getAsJsonObject("paths")
            .getAsJsonObject("/api/v1/jobs/{job}/prompts")
            .getAsJsonObject("post");
    assertEquals("AppendPrompts", append.get("operationId").getAsString());
    assertTrue(append.get("description").getAsString().startsWith("Appends prompts in order."));
    JsonObject job =
        document.getAsJsonObject("components").getAsJsonObject("schemas").getAsJsonObject("Job");
    JsonObject state = job.getAsJsonObject("properties").getAsJsonObject("state");
    assertEquals("ACCEPTING", state.getAsJsonArray("enum").get(1).getAsString());
    assertTrue(state.get("description").getAsString().startsWith("Output only.\n"));
    assertTrue(state.get("description").getAsString().contains("- `PAUSED`: No prompt is given"));
  }

  @Test
  void pathsHaveNothingButVariablesOfOneSegment() {
    PathTemplate path = PathTemplate.of("/api/v1/{job.name=jobs/*}/prompts/{custom_id}");
    assertEquals("/api/v1/jobs/:p0/prompts/:p1", path.route());
    assertEquals("/api/v1/jobs/{job}/prompts/{custom_id}", path.shown());
    assertThrows(IllegalArgumentException.class, () -> PathTemplate.of("/v1/{name=jobs/**}"));
  }

  @Test
  void aLinterTakesItForOpenApi() throws Exception {
    NodeProgram.require(folder, "npx", "--yes", REDOCLY, "--version");
    Files.writeString(folder.resolve("openapi.json"), OpenApi.of(ApiMethod.all()).toString());
    NodeProgram.run(folder, "npx", "--yes", REDOCLY, "lint", "--extends=spec", "openapi.json");
  }
}
