package io.bitloom.deploy.chart;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.GRPCRoute;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.Annotated;
import tools.jackson.databind.introspect.JacksonAnnotationIntrospector;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/**
 * Reads objects as a strict API server would: a kind that the chart has no business with, a field
 * that there is not and a value of the wrong type are errors. Kinds of KEDA and of the Prometheus
 * operator, for which there are no classes, are held to schemas of what the chart uses of them.
 */
final class StrictObjects {

  private static final Map<String, Class<? extends HasMetadata>> KINDS =
      Map.ofEntries(
          Map.entry("v1/ConfigMap", ConfigMap.class),
          Map.entry("v1/PersistentVolumeClaim", PersistentVolumeClaim.class),
          Map.entry("v1/Pod", Pod.class),
          Map.entry("v1/Service", Service.class),
          Map.entry("v1/ServiceAccount", ServiceAccount.class),
          Map.entry("apps/v1/Deployment", Deployment.class),
          Map.entry("apps/v1/StatefulSet", StatefulSet.class),
          Map.entry("gateway.networking.k8s.io/v1/GRPCRoute", GRPCRoute.class),
          Map.entry("gateway.networking.k8s.io/v1/HTTPRoute", HTTPRoute.class),
          Map.entry("networking.k8s.io/v1/Ingress", Ingress.class),
          Map.entry("networking.k8s.io/v1/NetworkPolicy", NetworkPolicy.class),
          Map.entry("policy/v1/PodDisruptionBudget", PodDisruptionBudget.class),
          Map.entry("rbac.authorization.k8s.io/v1/Role", Role.class),
          Map.entry("rbac.authorization.k8s.io/v1/RoleBinding", RoleBinding.class),
          Map.entry("resource.k8s.io/v1/ResourceClaimTemplate", ResourceClaimTemplate.class));

  private static final Map<String, String> SCHEMAS =
      Map.of(
          "keda.sh/v1alpha1/ScaledObject", "scaledobject.json",
          "keda.sh/v1alpha1/TriggerAuthentication", "triggerauthentication.json",
          "monitoring.coreos.com/v1/PodMonitor", "podmonitor.json",
          "monitoring.coreos.com/v1/PrometheusRule", "prometheusrule.json");

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .annotationIntrospector(new WithoutCatchAll())
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .withCoercionConfig(
              LogicalType.Textual,
              config ->
                  config
                      .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                      .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
          .build();

  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private StrictObjects() {}

  /** The models collect fields that they do not know; here these are unknown. */
  private static final class WithoutCatchAll extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1;

    @Override
    public Boolean hasAnySetter(MapperConfig<?> config, Annotated annotated) {
      return false;
    }
  }

  /**
   * @throws IllegalArgumentException naming object and field
   */
  static HasMetadata read(Map<String, Object> object) {
    String kind = object.get("apiVersion") + "/" + object.get("kind");
    String name = kind + " " + Yamls.at(object, "metadata", "name");
    try {
      if (KINDS.containsKey(kind)) {
        return MAPPER.convertValue(object, KINDS.get(kind));
      }
      ObjectMeta metadata = MAPPER.convertValue(object.get("metadata"), ObjectMeta.class);
      check(kind, object);
      return new CustomObject(object, metadata);
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
  }

  private static void check(String kind, Map<String, Object> object) {
    String schema = SCHEMAS.get(kind);
    if (schema == null) {
      throw new IllegalArgumentException("the chart has no business with this kind");
    }
    Schema checked = REGISTRY.getSchema(resource("schemas/" + schema), InputFormat.JSON);
    List<String> faults =
        checked.validate(MAPPER.writeValueAsString(object), InputFormat.JSON).stream()
            .map(Object::toString)
            .toList();
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", faults));
    }
  }

  private static String resource(String name) {
    try (InputStream in = StrictObjects.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
