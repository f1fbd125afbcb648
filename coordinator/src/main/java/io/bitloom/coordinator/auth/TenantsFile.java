package io.bitloom.coordinator.auth;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import io.bitloom.common.net.MaskedUri;
import io.bitloom.coordinator.auth.Caller.Role;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.LimitsConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads the file of tenants and their tokens, of which it has only digests:
 *
 * <pre>{@code
 * {"tenants": [{"name": "art", "weight": 2,
 *   "webhook_url": "https://art.example/bitloom", "webhook_secrets": ["art-webhooks.key"],
 *   "limits": {"open_jobs": 10, "queued_prompts": 100000, "prompts_per_second": 500,
 *              "job_bytes": "1GiB", "queue_bytes": "2GiB", "result_bytes": "100GiB"},
 *   "tokens": [{"sha256": "4be1c2a…", "roles": ["client"]},
 *     {"sha256": "60303ae…", "roles": ["worker"], "workers": ["rack-1-*"],
 *      "models": {"demo": "sha256:4355a46…"}, "groups": []}]}]}
 * }</pre>
 *
 * A webhook secret is there by its value, {@code whsec_…}, or by the file that has it, beside this
 * one if its path is relative. Everything is checked; an error names the file, the place in it and
 * the value.
 */
final class TenantsFile {

  private static final int MAX_NAME = 64;
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final String WORKERS = "workers";
  private static final String MODELS = "models";
  private static final String GROUPS = "groups";
  private static final String WEBHOOK_URL = "webhook_url";
  private static final String WEBHOOK_SECRETS = "webhook_secrets";

  private final Path file;
  private final LimitsConfig defaults;
  private final Map<String, Caller> callers = new HashMap<>();
  private final Map<String, TenantWebhooks> webhooks = new HashMap<>();
  private final List<Path> secretFiles = new ArrayList<>();

  /**
   * What the file says.
   *
   * @param callers by the SHA-256 of their token, in small hexadecimal digits
   * @param webhooks by the name of the tenant
   * @param secretFiles which it names, and which were read with it
   */
  record Contents(
      Map<String, Caller> callers, Map<String, TenantWebhooks> webhooks, List<Path> secretFiles) {}

  private TenantsFile(Path file, LimitsConfig defaults) {
    this.file = file;
    this.defaults = defaults;
  }

  /**
   * Reads the file, and those of secrets that it names.
   *
   * @param defaults limits of tenants that have none of their own
   * @throws ConfigException if the file cannot be read or is not such a file
   */
  static Contents read(Path file, LimitsConfig defaults) {
    TenantsFile reading = new TenantsFile(file, defaults);
    JsonElement root;
    try {
      root = JsonParser.parseString(Files.readString(file));
    } catch (IOException e) {
      throw new ConfigException(AccessConfig.TENANTS.name(), file, "must be a readable file");
    } catch (JsonParseException e) {
      throw new ConfigException(AccessConfig.TENANTS.name(), file, "must be JSON");
    }
    JsonObject object = reading.object("$", root, "tenants");
    Set<String> names = new HashSet<>();
    int index = 0;
    for (JsonElement tenant : reading.array("tenants", object.get("tenants"))) {
      reading.tenant("tenants[" + index++ + "]", tenant, names);
    }
    return new Contents(
        Map.copyOf(reading.callers),
        Map.copyOf(reading.webhooks),
        List.copyOf(reading.secretFiles));
  }

  private void tenant(String place, JsonElement element, Set<String> names) {
    JsonObject tenant =
        object(place, element, "name", "weight", "limits", WEBHOOK_URL, WEBHOOK_SECRETS, "tokens");
    String name = text(place + ".name", tenant.get("name"));
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9_.-]{0," + (MAX_NAME - 1) + "}") || !names.add(name)) {
      throw bad(
          place + ".name", name, "must be letters, digits, _ . or -, and not be there already");
    }
    double weight = tenant.has("weight") ? number(place + ".weight", tenant.get("weight")) : 1;
    if (!(weight >= 0.001 && weight <= 1000)) {
      throw bad(place + ".weight", weight, "must be 0.001 to 1000");
    }
    LimitsConfig limits =
        tenant.has("limits") ? limits(place + ".limits", tenant.get("limits")) : defaults;
    webhooks.put(name, webhooks(place, tenant));
    int index = 0;
    for (JsonElement token : array(place + ".tokens", tenant.get("tokens"))) {
      token(place + ".tokens[" + index++ + "]", token, name, weight, limits);
    }
  }

  private TenantWebhooks webhooks(String place, JsonObject tenant) {
    Optional<String> url = Optional.empty();
    if (tenant.has(WEBHOOK_URL)) {
      String text = text(place + "." + WEBHOOK_URL, tenant.get(WEBHOOK_URL));
      if (!text.matches("https?://.+") || !tenant.has(WEBHOOK_SECRETS)) {
        throw bad(
            place + "." + WEBHOOK_URL,
            MaskedUri.of(text),
            "must be an http or https URL, and go with " + WEBHOOK_SECRETS);
      }
      url = Optional.of(text);
    }
    return new TenantWebhooks(
        url,
        tenant.has(WEBHOOK_SECRETS)
            ? secrets(place + "." + WEBHOOK_SECRETS, tenant.get(WEBHOOK_SECRETS))
            : List.of());
  }

  private List<WebhookSecret> secrets(String place, JsonElement element) {
    List<WebhookSecret> secrets = new ArrayList<>();
    int index = 0;
    for (JsonElement one : array(place, element)) {
      secrets.addAll(secrets(place + "[" + index++ + "]", text(place, one)));
    }
    if (secrets.isEmpty() || secrets.size() > WebhookSecretFile.MOST) {
      throw bad(
          place,
          secrets.size() + " secrets",
          "must have 1 to " + WebhookSecretFile.MOST + " secrets");
    }
    return List.copyOf(secrets);
  }

  private List<WebhookSecret> secrets(String place, String text) {
    if (text.startsWith("whsec_")) {
      try {
        return List.of(WebhookSecret.parse(text));
      } catch (IllegalArgumentException e) {
        throw bad(place, "whsec_…", e.getMessage());
      }
    }
    Path secretFile;
    try {
      secretFile = file.resolveSibling(text);
    } catch (InvalidPathException e) {
      throw bad(place, text, "must be whsec_… or a file");
    }
    secretFiles.add(secretFile);
    return WebhookSecretFile.read(AccessConfig.TENANTS.name(), secretFile);
  }

  private LimitsConfig limits(String place, JsonElement element) {
    JsonObject limits =
        object(
            place,
            element,
            "open_jobs",
            "queued_prompts",
            "prompts_per_second",
            "job_bytes",
            "queue_bytes",
            "result_bytes");
    try {
      return defaults.ofTenant(
          bytes(place, limits, "job_bytes", defaults.jobBytes()),
          (int) whole(place, limits, "open_jobs", defaults.openJobs()),
          whole(place, limits, "queued_prompts", defaults.queuedPrompts()),
          (int) whole(place, limits, "prompts_per_second", defaults.promptsPerSecond()),
          bytes(place, limits, "queue_bytes", defaults.queueBytes()),
          bytes(place, limits, "result_bytes", defaults.resultBytes()));
    } catch (ConfigException e) {
      throw bad(place, limits, e.getMessage());
    }
  }

  private void token(
      String place, JsonElement element, String tenant, double weight, LimitsConfig limits) {
    JsonObject token = object(place, element, "sha256", "roles", WORKERS, MODELS, GROUPS);
    String digest = text(place + ".sha256", token.get("sha256")).toLowerCase(Locale.ROOT);
    if (!digest.matches("[0-9a-f]{64}")) {
      throw bad(place + ".sha256", digest, "must be 64 hexadecimal digits");
    }
    Set<Role> roles = EnumSet.noneOf(Role.class);
    for (JsonElement role : array(place + ".roles", token.get("roles"))) {
      roles.add(role(place + ".roles", text(place + ".roles", role)));
    }
    if (roles.isEmpty()) {
      throw bad(place + ".roles", "[]", "must have a role");
    }
    WorkerRights rights = rights(place, token, digest, roles);
    if (callers.putIfAbsent(digest, new Caller(tenant, weight, limits, roles, rights)) != null) {
      throw bad(place + ".sha256", digest, "must not be there twice");
    }
  }

  /** What is not there is not restricted. */
  private WorkerRights rights(String place, JsonObject token, String digest, Set<Role> roles) {
    for (String key : List.of(WORKERS, MODELS, GROUPS)) {
      if (token.has(key) && !roles.contains(Role.WORKER)) {
        throw bad(place, key, "must be there for the role worker only");
      }
    }
    WorkerRights any = WorkerRights.unrestricted(digest);
    return new WorkerRights(
        digest,
        token.has(WORKERS) ? patterns(place + "." + WORKERS, token.get(WORKERS)) : any.workers(),
        token.has(MODELS) ? models(place + "." + MODELS, token.get(MODELS)) : any.models(),
        token.has(GROUPS) ? patterns(place + "." + GROUPS, token.get(GROUPS)) : any.groups());
  }

  private List<NamePattern> patterns(String place, JsonElement element) {
    List<NamePattern> patterns = new ArrayList<>();
    for (JsonElement pattern : array(place, element)) {
      patterns.add(pattern(place, text(place, pattern)));
    }
    return patterns;
  }

  private Map<NamePattern, String> models(String place, JsonElement element) {
    if (!element.isJsonObject()) {
      throw bad(place, element, "must be an object");
    }
    Map<NamePattern, String> models = new LinkedHashMap<>();
    for (Map.Entry<String, JsonElement> model : element.getAsJsonObject().entrySet()) {
      String digest = text(place + "." + model.getKey(), model.getValue());
      if (!digest.equals(WorkerRights.ANY_DIGEST) && !DIGEST.matcher(digest).matches()) {
        throw bad(
            place + "." + model.getKey(), digest, "must be sha256: and 64 small digits, or *");
      }
      models.put(pattern(place, model.getKey()), digest);
    }
    return models;
  }

  private NamePattern pattern(String place, String text) {
    if (!NamePattern.isValid(text)) {
      throw bad(place, text, "must be a name of at most 128 characters, with * at most at its end");
    }
    return new NamePattern(text);
  }

  private Role role(String place, String name) {
    for (Role role : Role.values()) {
      if (role.name().toLowerCase(Locale.ROOT).equals(name)) {
        return role;
      }
    }
    throw bad(place, name, "must be client, worker or operator");
  }

  private JsonObject object(String place, JsonElement element, String... keys) {
    if (element == null || !element.isJsonObject()) {
      throw bad(place, element, "must be an object");
    }
    for (String key : element.getAsJsonObject().keySet()) {
      if (!Set.of(keys).contains(key)) {
        throw bad(place, key, "must have no other keys than " + String.join(", ", keys));
      }
    }
    return element.getAsJsonObject();
  }

  private JsonArray array(String place, JsonElement element) {
    if (element == null || !element.isJsonArray()) {
      throw bad(place, element, "must be a list");
    }
    return element.getAsJsonArray();
  }

  private String text(String place, JsonElement element) {
    if (element == null || !element.isJsonPrimitive() || !element.getAsJsonPrimitive().isString()) {
      throw bad(place, element, "must be a text");
    }
    return element.getAsString();
  }

  private double number(String place, JsonElement element) {
    if (!element.isJsonPrimitive() || !element.getAsJsonPrimitive().isNumber()) {
      throw bad(place, element, "must be a number");
    }
    return element.getAsDouble();
  }

  private long whole(String place, JsonObject limits, String key, long otherwise) {
    if (!limits.has(key)) {
      return otherwise;
    }
    double value = number(place + "." + key, limits.get(key));
    if (value != Math.rint(value) || value < 1 || value > 1e9) {
      throw bad(place + "." + key, limits.get(key), "must be a whole number from 1 to 1e9");
    }
    return (long) value;
  }

  private long bytes(String place, JsonObject limits, String key, long otherwise) {
    if (!limits.has(key)) {
      return otherwise;
    }
    String size = text(place + "." + key, limits.get(key));
    try {
      return Settings.bytes(key, size);
    } catch (ConfigException e) {
      throw bad(place + "." + key, size, "must be a size such as 64KiB, 512MiB, 8GiB or 1TiB");
    }
  }

  private ConfigException bad(String place, Object value, String message) {
    return new ConfigException(
        AccessConfig.TENANTS.name(), file + ": " + place + " " + value, message);
  }
}
