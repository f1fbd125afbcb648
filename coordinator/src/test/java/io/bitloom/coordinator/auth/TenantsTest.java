package io.bitloom.coordinator.auth;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.config.LimitsConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TenantsTest {

  /** SHA-256 of "a" and of "b". */
  private static final String A =
      "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

  private static final String B =
      "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";

  @TempDir private Path directory;

  private Path write(String content) throws IOException {
    Path written = Files.writeString(directory.resolve("new"), content);
    return Files.move(
        written, directory.resolve("tenants.json"), StandardCopyOption.REPLACE_EXISTING);
  }

  private static String tenant(String name, String sha256) {
    return String.format(
        Locale.ROOT,
        "{\"tenants\": [{\"name\": \"%s\", \"tokens\": [{\"sha256\": \"%s\", \"roles\": [\"client\"]}]}]}",
        name,
        sha256);
  }

  @Test
  void aChangedFileOfSecretsTakesEffectToo() throws Exception {
    String text =
        "{\"tenants\": [{\"name\": \"art\", \"webhook_secrets\": [\"art.key\"], \"tokens\": []}]}";
    Path key = Files.writeString(directory.resolve("art.key"), "whsec_" + "A".repeat(32));
    Tenants tenants = Tenants.of(Optional.of(write(text)), LimitsConfig.DEFAULTS);
    WebhookSecret before = tenants.webhooks("art").secrets().get(0);

    Files.writeString(key, "whsec_" + "A".repeat(32) + "\nwhsec_" + "B".repeat(32));
    tenants.refresh();
    assertEquals(2, tenants.webhooks("art").secrets().size());
    byte[] signed = tenants.webhooks("art").secrets().get(0).sign(new byte[3]);
    assertArrayEquals(before.sign(new byte[3]), signed);

    Files.delete(key);
    tenants.refresh();
    assertEquals(2, tenants.webhooks("art").secrets().size());
    assertEquals(TenantWebhooks.NONE, tenants.webhooks("law"));
  }

  @Test
  void withoutTenantsTheFileOfSecretsIsThatOfTheDefaultOne() throws Exception {
    Path key = Files.writeString(directory.resolve("key"), "whsec_" + "A".repeat(32));
    Tenants tenants = Tenants.of(Optional.empty(), Optional.of(key), LimitsConfig.DEFAULTS);
    assertEquals(1, tenants.webhooks(Caller.DEFAULT_TENANT).secrets().size());
    Files.writeString(key, "nonsense");
    tenants.refresh();
    assertEquals(1, tenants.webhooks(Caller.DEFAULT_TENANT).secrets().size());
    assertThrows(
        ConfigException.class,
        () -> Tenants.of(Optional.empty(), Optional.of(key), LimitsConfig.DEFAULTS));
  }

  @Test
  void aChangedFileTakesEffectAndABrokenOrMissingOneDoesNot() throws Exception {
    Path file = write(tenant("art", A));
    Tenants tenants = Tenants.of(Optional.of(file), LimitsConfig.DEFAULTS);
    assertEquals("art", tenants.caller("a").tenant());

    write(tenant("law", B));
    tenants.refresh();
    assertEquals("law", tenants.caller("b").tenant());
    assertThrows(BitloomException.class, () -> tenants.caller("a"));

    write("{\"tenants\": ");
    tenants.refresh();
    assertEquals("law", tenants.caller("b").tenant());

    Files.delete(file);
    tenants.refresh();
    assertEquals("law", tenants.caller("b").tenant());

    write(tenant("art", A));
    tenants.refresh();
    assertEquals("art", tenants.caller("a").tenant());
  }
}
