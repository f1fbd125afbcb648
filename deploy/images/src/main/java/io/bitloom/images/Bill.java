package io.bitloom.images;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;

/** An image's bill of materials, in CycloneDX 1.5. */
final class Bill {

  private final JsonObject document = new JsonObject();
  private final JsonArray components = new JsonArray();

  /**
   * @param created when what is in it was made
   */
  Bill(String image, String version, Instant created) {
    document.addProperty("bomFormat", "CycloneDX");
    document.addProperty("specVersion", "1.5");
    document.addProperty("version", 1);
    JsonObject subject = new JsonObject();
    subject.addProperty("type", "container");
    subject.addProperty("bom-ref", image);
    subject.addProperty("name", image);
    subject.addProperty("version", version);
    JsonObject metadata = new JsonObject();
    metadata.addProperty("timestamp", created.toString());
    metadata.add("component", subject);
    document.add("metadata", metadata);
    document.add("components", components);
  }

  /**
   * Adds a jar.
   *
   * @param sha256 of the jar as Maven has it; in the image its native libraries lie beside it
   */
  void add(Artifact artifact, String sha256) {
    JsonObject component = component(artifact.name(), artifact.version(), artifact.url(), sha256);
    component.addProperty("group", artifact.group());
  }

  /**
   * Adds a package of Debian.
   *
   * @param release number of the Debian
   */
  void add(DebianPackage debian, String release) {
    component(debian.name(), debian.version(), debian.url(release), debian.sha256());
  }

  /** Adds the Java runtime, which has no file of its own. */
  void addJava(String version, String vendor) {
    JsonObject component =
        component(
            "openjdk-runtime",
            version,
            "pkg:generic/openjdk@" + version.replace("+", "%2B") + "?vendor=" + vendor,
            "");
    component.addProperty("publisher", vendor);
  }

  private JsonObject component(String name, String version, String url, String sha256) {
    JsonObject component = new JsonObject();
    component.addProperty("type", "library");
    component.addProperty("bom-ref", url);
    component.addProperty("name", name);
    component.addProperty("version", version);
    component.addProperty("purl", url);
    if (!sha256.isEmpty()) {
      JsonObject hash = new JsonObject();
      hash.addProperty("alg", "SHA-256");
      hash.addProperty("content", sha256);
      JsonArray hashes = new JsonArray();
      hashes.add(hash);
      component.add("hashes", hashes);
    }
    components.add(component);
    return component;
  }

  /** The document. Its number is made of its content, so that the same bill is the same bytes. */
  String json() {
    byte[] content = document.toString().getBytes(StandardCharsets.UTF_8);
    JsonObject numbered = new JsonObject();
    document.entrySet().forEach(field -> numbered.add(field.getKey(), field.getValue()));
    numbered.addProperty("serialNumber", "urn:uuid:" + UUID.nameUUIDFromBytes(content));
    return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(numbered)
        + "\n";
  }
}
