package io.bitloom.coordinator.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.config.LimitsConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TenantsFileTest {

  private static final String DIGEST = "0123456789abcdef".repeat(4);

  private static final String BAD_KEY =
      "{\"tenants\": [{\"name\": \"a\", \"webhook_secrets\": [\"bad.key\"], \"tokens\": []}]}";

  @TempDir Path directory;

  private Map<String, Caller> read(String text) throws Exception {
    Path file =
        Files.writeString(directory.resolve("tenants.json"), text.replace("DIGEST", DIGEST));
    return TenantsFile.read(file, LimitsConfig.DEFAULTS).callers();
  }

  @Test
  void aTokenBelongsToATenantWithItsWeightItsLimitsAndItsOwnRoles() throws Exception {
    Map<String, Caller> callers =
        read(
            """
            {"tenants": [{"name": "art", "weight": 2.5, "limits": {"open_jobs": 3},
              "tokens": [{"sha256": "DIGEST", "roles": ["client", "operator"]}]}]}
            """);
    Caller caller = callers.get(DIGEST);
    assertEquals("art", caller.tenant());
    assertEquals(2.5, caller.weight());
    assertEquals(Set.of(Caller.Role.CLIENT, Caller.Role.OPERATOR), caller.roles());
    assertEquals(3, caller.limits().openJobs());
    assertEquals(LimitsConfig.DEFAULTS.queuedPrompts(), caller.limits().queuedPrompts());
  }

  @Test
  void aTokenOfAWorkerMayBeRestrictedToIdsModelsAndGroups() throws Exception {
    WorkerRights rights =
        read("""
            {"tenants": [{"name": "art", "tokens": [{"sha256": "DIGEST", "roles": ["worker"],
              "workers": ["gpu-1", "rack-*"], "groups": [],
              "models": {"demo": "sha256:DIGEST", "play-*": "*"}}]}]}
            """)
            .get(DIGEST)
            .worker();
    assertEquals(DIGEST, rights.token());
    rights.checkWorker("gpu-1");
    rights.checkWorker("rack-17");
    rights.checkModel("demo", "sha256:" + DIGEST);
    rights.checkModel("play-2", "sha256:other");
    assertDenied("rack-*", () -> rights.checkWorker("gpu-10"));
    assertDenied("sha256:" + DIGEST, () -> rights.checkModel("demo", "sha256:other"));
    assertDenied("play-*", () -> rights.checkModel("demo-2", "sha256:" + DIGEST));
    assertDenied("none is allowed", () -> rights.checkGroup("night"));
  }

  private static void assertDenied(String word, Executable call) {
    BitloomException denied = assertThrows(BitloomException.class, call);
    assertEquals(ErrorCode.PERMISSION_DENIED, denied.code());
    assertTrue(denied.getMessage().contains(word), denied.getMessage());
  }

  @Test
  void aTokenThatIsNotRestrictedMayBeAnyWorker() throws Exception {
    WorkerRights rights =
        read("""
            {"tenants": [{"name": "a", "tokens": [{"sha256": "DIGEST", "roles": ["worker"]}]}]}
            """)
            .get(DIGEST)
            .worker();
    rights.checkWorker("w");
    rights.checkModel("demo", "");
    rights.checkGroup("night");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nonsense | $",
        "[] | $",
        "{\"tenant\": []} | must have no other keys than tenants",
        "{} | tenants must be a list",
        "{\"tenants\": [{\"name\": \"\", \"tokens\": []}]} | tenants[0].name",
        "{\"tenants\": [{\"name\": \"a b\", \"tokens\": []}]} | tenants[0].name a b",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": []}, {\"name\": \"a\"}]} | tenants[1].name a",
        "{\"tenants\": [{\"name\": \"a\", \"weight\": 0, \"tokens\": []}]} | tenants[0].weight 0.0",
        "{\"tenants\": [{\"name\": \"a\", \"weight\": \"2\"}]} | tenants[0].weight",
        "{\"tenants\": [{\"name\": \"a\", \"limits\": {\"jobs\": 1}}]} | tenants[0].limits jobs",
        "{\"tenants\": [{\"name\": \"a\", \"limits\": {\"open_jobs\": -1}}]} | limits.open_jobs -1",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"12\"}]}]} | tokens[0].sha256 12",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"DIGEST\", \"roles\": []}]}]} | roles []",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"DIGEST\", \"roles\": [\"root\"]}]}]} | roles root",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"DIGEST\", \"roles\": [\"client\"], \"workers\": []}]}]} | tokens[0] workers",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"DIGEST\", \"roles\": [\"worker\"], \"workers\": [\"a*b\"]}]}]} | workers a*b",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"DIGEST\", \"roles\": [\"worker\"], \"groups\": [\"\"]}]}]} | groups",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"DIGEST\", \"roles\": [\"worker\"], \"models\": [\"m\"]}]}]} | models",
        "{\"tenants\": [{\"name\": \"a\", \"tokens\": [{\"sha256\": \"DIGEST\", \"roles\": [\"worker\"], \"models\": {\"m\": \"12\"}}]}]} | models.m 12",
        "{\"tenants\": [{\"name\": \"a\", \"webhook_url\": \"https://u:p@x/\", \"tokens\": []}]} | tenants[0].webhook_url",
        "{\"tenants\": [{\"name\": \"a\", \"webhook_secrets\": \"x\", \"tokens\": []}]} | webhook_secrets",
        "{\"tenants\": [{\"name\": \"a\", \"webhook_secrets\": [], \"tokens\": []}]} | must have 1 to 8",
        "{\"tenants\": [{\"name\": \"a\", \"webhook_secrets\": [\"whsec_YQ==\"], \"tokens\": []}]} | tenants[0].webhook_secrets[0]"
      })
  void aWrongFileNamesThePlaceAndTheValue(String text, String message) {
    ConfigException e = assertThrows(ConfigException.class, () -> read(text));
    assertTrue(e.getMessage().contains(message) || message.equals("$"), e.getMessage());
    assertTrue(e.getMessage().contains("tenants.json"), e.getMessage());
  }

  @Test
  void secretsOfWebhooksAreThereByValueOrInFilesBesideThisOne() throws Exception {
    String secret = "whsec_" + "A".repeat(32);
    Files.writeString(directory.resolve("two.key"), secret + "\n\n whsec_" + "B".repeat(32) + "\n");
    Path file =
        Files.writeString(
            directory.resolve("tenants.json"),
            String.format(
                Locale.ROOT,
                """
                {"tenants": [{"name": "art", "webhook_url": "https://art.example/",
                  "webhook_secrets": ["%s", "two.key"], "tokens": []},
                  {"name": "law", "tokens": []}]}
                """,
                secret));
    TenantsFile.Contents contents = TenantsFile.read(file, LimitsConfig.DEFAULTS);
    assertEquals(3, contents.webhooks().get("art").secrets().size());
    assertEquals(Optional.of("https://art.example/"), contents.webhooks().get("art").url());
    assertEquals(TenantWebhooks.NONE, contents.webhooks().get("law"));
    assertEquals(List.of(directory.resolve("two.key")), contents.secretFiles());
  }

  @Test
  void whatIsNoSecretInAFileIsNamedByItsLineAndNotShown() throws Exception {
    Files.writeString(directory.resolve("bad.key"), "\nwhsec_abc\n");
    ConfigException e = assertThrows(ConfigException.class, () -> read(BAD_KEY));
    assertTrue(e.getMessage().contains("bad.key line 2"), e.getMessage());
    assertFalse(e.getMessage().contains("whsec_abc"), e.getMessage());

    Files.delete(directory.resolve("bad.key"));
    ConfigException gone = assertThrows(ConfigException.class, () -> read(BAD_KEY));
    assertTrue(gone.getMessage().contains("bad.key"), gone.getMessage());
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    ConfigException e =
        assertThrows(
            ConfigException.class,
            () -> TenantsFile.read(directory.resolve("none"), LimitsConfig.DEFAULTS));
    assertTrue(e.getMessage().contains("none"), e.getMessage());
  }
}
