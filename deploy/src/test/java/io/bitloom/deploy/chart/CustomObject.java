package io.bitloom.deploy.chart;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.Map;

/** An object whose kind is defined in the cluster, as it was written. */
final class CustomObject implements HasMetadata {

  private static final long serialVersionUID = 1;

  private final transient Map<String, Object> content;
  private ObjectMeta metadata;

  CustomObject(Map<String, Object> content, ObjectMeta metadata) {
    this.content = content;
    this.metadata = metadata;
  }

  Map<String, Object> content() {
    return content;
  }

  @Override
  public String getKind() {
    return (String) content.get("kind");
  }

  @Override
  public String getApiVersion() {
    return (String) content.get("apiVersion");
  }

  @Override
  public ObjectMeta getMetadata() {
    return metadata;
  }

  @Override
  public void setMetadata(ObjectMeta metadata) {
    this.metadata = metadata;
  }

  @Override
  public void setApiVersion(String version) {
    throw new UnsupportedOperationException();
  }
}
