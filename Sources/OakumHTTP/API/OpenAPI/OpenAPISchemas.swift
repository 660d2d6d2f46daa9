/// The schemas, by hand. Answers may hold more members than are told here; none is renamed.
enum OpenAPISchemas {
    static let node: JSONNode = {
        do throws(JSONNode.Malformed) {
            return try JSONNode(parsing: Array(text.utf8))
        } catch {
            // The text stands below, and a test reads it.
            preconditionFailure("the schemas are malformed at byte \(error.at): \(error.what)")
        }
    }()

    private static let text = "{\(answers),\n\(incidents),\n\(intake)}"

    private static let answers = """
        "Problem": {
          "type": "object", "required": ["title", "status", "detail", "code"],
          "properties": {
            "title": { "type": "string" }, "status": { "type": "integer" }, "detail": { "type": "string" },
            "code": { "type": "string" }
          }
        },
        "Number": { "description": "A number, or what JSON has no word for.",
          "anyOf": [{ "type": "number" }, { "enum": ["inf", "-inf", "nan"] }] },
        "Estimate": {
          "type": "object", "required": ["estimate", "low", "high"],
          "properties": {
            "estimate": { "$ref": "#/components/schemas/Number" }, "low": { "$ref": "#/components/schemas/Number" },
            "high": { "$ref": "#/components/schemas/Number" }
          }
        },
        "Moment": {
          "type": "object", "required": ["uptime", "wall"],
          "properties": { "wall": { "type": "integer" }, "uptime": { "type": "object" } }
        },
        "Verdict": {
          "type": "object", "required": ["verdict", "evidence"],
          "properties": {
            "verdict": { "enum": ["leak", "cache_fill", "fragmentation", "load", "warm_up", "step", "steady", "not_enough_data"] },
            "evidence": { "type": "array", "items": { "type": "string" } },
            "slope_per_s": { "$ref": "#/components/schemas/Estimate" }
          }
        },
        "Worker": {
          "type": "object", "required": ["number", "phase", "verdict", "summary"],
          "properties": {
            "number": { "type": "integer" }, "phase": { "enum": ["starting", "serving", "draining", "down"] },
            "verdict": { "$ref": "#/components/schemas/Verdict" }, "summary": { "type": "string" }
          }
        },
        "Service": {
          "type": "object", "required": ["name", "address", "desired_workers", "capacity_floor", "budget_bytes", "workers"],
          "properties": {
            "name": { "type": "string" }, "address": { "type": "string" }, "desired_workers": { "type": "integer" },
            "capacity_floor": { "type": "integer" }, "budget_bytes": { "type": "integer" },
            "workers": { "type": "array", "items": { "$ref": "#/components/schemas/Worker" } }
          }
        },
        "Overview": {
          "type": "object", "required": ["at", "oakum", "services"],
          "properties": {
            "at": { "$ref": "#/components/schemas/Moment" },
            "oakum": {
              "type": "object", "required": ["version", "pid", "observe_only", "paused", "problems"],
              "properties": {
                "version": { "type": "string" }, "pid": { "type": "integer" }, "observe_only": { "type": "boolean" },
                "paused": { "type": "boolean" }, "problems": { "type": "array", "items": { "type": "string" } }
              }
            },
            "services": { "type": "array", "items": { "$ref": "#/components/schemas/Service" } }
          }
        },
        "History": {
          "type": "object", "required": ["service", "budget_bytes", "workers"],
          "properties": {
            "service": { "type": "string" }, "budget_bytes": { "type": "integer" },
            "workers": { "type": "array", "items": {
              "type": "object", "required": ["number", "points"],
              "properties": { "points": { "type": "array", "items": {
                "type": "object", "required": ["at_ms", "floor_bytes", "peak_bytes"] } } } } },
            "measures": { "type": "array", "items": {
              "type": "object", "required": ["kind", "name", "points"],
              "properties": {
                "kind": { "type": "string", "enum": ["business", "requests", "failures"] },
                "name": { "type": "string" },
                "points": { "type": "array", "items": {
                  "type": "object", "required": ["at_ms", "seconds", "count"] } } } } }
          }
        },
        "EventRecord": {
          "type": "object", "required": ["id", "event"],
          "properties": { "id": { "type": "integer" }, "event": {
            "type": "object", "required": ["kind", "at", "message"],
            "properties": { "kind": { "type": "string" }, "message": { "type": "string" },
              "at": { "$ref": "#/components/schemas/Moment" } } } }
        },
        "Command": {
          "type": "object", "required": ["command"],
          "properties": {
            "command": { "enum": ["recycle", "pause", "down", "mark_deploy", "deploy", "rollback"] }, "service": { "type": "string" },
            "worker": { "type": "integer" }, "paused": { "type": "boolean" }, "text": { "type": "string" },
            "artifact": { "type": "string" }, "release": { "type": "string" }, "by": { "type": "string" },
            "canary_s": { "type": "number" }, "skip_canary": { "type": "boolean" }, "unfreeze": { "type": "boolean" }
          }
        },
        "CommandOutcome": {
          "type": "object", "required": ["message"], "properties": { "message": { "type": "string" } }
        },
        "TokenSummary": {
          "type": "object", "required": ["id", "name", "role", "created_ms", "expires_ms"],
          "properties": {
            "id": { "type": "string" }, "name": { "type": "string" },
            "role": { "enum": ["intake", "reader", "responder", "admin"] }, "service": { "type": "string" },
            "created_ms": { "type": "integer" }, "expires_ms": { "type": "integer" }, "last_used_ms": { "type": "integer" }
          }
        },
        "TokenGrant": {
          "type": "object", "required": ["token", "summary"],
          "properties": { "token": { "type": "string" }, "summary": { "$ref": "#/components/schemas/TokenSummary" } }
        }
        """

    private static let incidents = """
        "Incident": {
          "type": "object",
          "required": ["id", "title", "kind", "severity", "state", "fingerprint", "milestones", "evidence", "alerts",
            "alert_count", "impact", "reopened", "updated_ms"],
          "properties": {
            "id": { "type": "integer", "minimum": 1 }, "title": { "type": "string" }, "service": { "type": "string" },
            "kind": { "type": "string" }, "severity": { "enum": ["info", "warning", "error", "critical"] },
            "state": { "enum": ["open", "acknowledged", "mitigated", "resolved"] }, "fingerprint": { "type": "string" },
            "milestones": {
              "type": "object", "required": ["detected_ms"],
              "properties": {
                "leak_onset_ms": { "type": "integer" }, "impact_onset_ms": { "type": "integer" },
                "detected_ms": { "type": "integer" }, "paged_ms": { "type": "integer" },
                "acknowledged_ms": { "type": "integer" }, "cause_named_ms": { "type": "integer" },
                "mitigated_ms": { "type": "integer" }, "restored_ms": { "type": "integer" },
                "resolved_ms": { "type": "integer" }
              }
            },
            "evidence": {
              "type": "object", "required": ["heap", "logs", "deploys", "acts"],
              "properties": {
                "verdict": { "$ref": "#/components/schemas/Verdict" }, "verdict_summary": { "type": "string" },
                "rss_bytes": { "type": "integer" }, "budget_bytes": { "type": "integer" },
                "heap": { "type": "array", "items": { "type": "object", "required": ["site", "chain", "live_bytes"] } },
                "cause": { "type": "object", "required": ["first_cause", "summary", "ranked", "ruled_out"] },
                "logs": { "type": "array", "items": { "type": "string" } },
                "deploys": { "type": "array", "items": { "type": "string" } },
                "acts": { "type": "array", "items": { "type": "string" } }
              }
            },
            "alerts": { "type": "array", "maxItems": 50, "items": {
              "type": "object", "required": ["fingerprint", "kind", "severity", "summary", "firing", "since_ms", "symptom"] } },
            "alert_count": { "type": "integer" },
            "impact": { "type": "array", "items": {
              "type": "object", "required": ["what", "actual", "expected", "from_ms", "basis"],
              "properties": { "expected": { "$ref": "#/components/schemas/Estimate" } } } },
            "acknowledgement": { "type": "object", "required": ["by", "at_ms", "severity"] },
            "policy": { "type": "string" }, "runbook": { "type": "string" }, "reopened": { "type": "integer" },
            "mitigation": { "type": "string" }, "updated_ms": { "type": "integer" }
          }
        },
        "TimelineEntry": {
          "type": "object", "required": ["incident", "at_ms", "kind", "text", "by"],
          "properties": {
            "incident": { "type": "integer" }, "at_ms": { "type": "integer" }, "kind": { "type": "string" },
            "text": { "type": "string" }, "by": { "type": "string" }, "evidence": { "type": "string" }
          }
        },
        "Delivery": {
          "type": "object", "required": ["page", "state", "attempts"],
          "properties": {
            "page": { "type": "object", "required": ["id", "kind", "channel", "severity", "title", "thread", "at_ms"] },
            "state": { "enum": ["waiting", "delivered", "dead", "withdrawn"] }, "attempts": { "type": "integer" },
            "words": { "type": "string" }, "next_attempt_ms": { "type": "integer" }
          }
        },
        "IncidentReport": {
          "type": "object", "required": ["incident", "timeline", "deliveries"],
          "properties": {
            "incident": { "$ref": "#/components/schemas/Incident" },
            "timeline": { "type": "array", "items": { "$ref": "#/components/schemas/TimelineEntry" } },
            "deliveries": { "type": "array", "items": { "$ref": "#/components/schemas/Delivery" } }
          }
        },
        "IncidentOutcome": {
          "type": "object", "required": ["changed", "message", "pages"],
          "properties": {
            "incident": { "type": "integer" }, "changed": { "type": "boolean" }, "message": { "type": "string" },
            "pages": { "type": "array", "items": { "type": "string" } }
          }
        },
        "OnCallReport": {
          "type": "object", "required": ["policies", "schedules", "silences", "problems", "deliveries"],
          "properties": {
            "policies": { "type": "array", "items": { "type": "object", "required": ["name", "services", "steps", "repeats"] } },
            "schedules": { "type": "array", "items": { "type": "object", "required": ["name"] } },
            "silences": { "type": "array", "items": {
              "type": "object", "required": ["id", "from_ms", "until_ms", "author", "reason"] } },
            "problems": { "type": "array", "items": { "type": "string" } },
            "deliveries": { "type": "array", "items": { "$ref": "#/components/schemas/Delivery" } }
          }
        }
        """

    private static let intake = """
        "AlertmanagerAlert": {
          "type": "object", "required": ["labels"],
          "properties": {
            "status": { "enum": ["firing", "resolved"] },
            "labels": { "type": "object", "minProperties": 1, "additionalProperties": { "type": "string" } },
            "annotations": { "type": "object", "additionalProperties": { "type": "string" } },
            "startsAt": { "type": "string", "format": "date-time" }, "endsAt": { "type": "string", "format": "date-time" },
            "generatorURL": { "type": "string" }, "fingerprint": { "type": "string" }
          }
        },
        "AlertmanagerWebhook": {
          "type": "object", "required": ["alerts"],
          "properties": {
            "version": { "const": "4" },
            "alerts": { "type": "array", "maxItems": 5000, "items": { "$ref": "#/components/schemas/AlertmanagerAlert" } }
          }
        },
        "IntakeAnswer": {
          "type": "object", "required": ["status", "received", "new"],
          "properties": { "status": { "const": "success" }, "received": { "type": "integer" }, "new": { "type": "integer" } }
        },
        "PagerDutyEvent": {
          "type": "object", "required": ["routing_key", "event_action"],
          "properties": {
            "routing_key": { "type": "string", "minLength": 1 }, "event_action": { "enum": ["trigger", "acknowledge", "resolve"] },
            "dedup_key": { "type": "string", "maxLength": 255 },
            "payload": {
              "type": "object", "required": ["summary", "source", "severity"],
              "properties": {
                "summary": { "type": "string", "minLength": 1 }, "source": { "type": "string", "minLength": 1 },
                "severity": { "enum": ["critical", "error", "warning", "info"] }, "timestamp": { "type": "string" },
                "component": { "type": "string" }, "group": { "type": "string" }, "class": { "type": "string" },
                "custom_details": {}
              }
            }
          }
        },
        "PagerDutyChange": {
          "type": "object", "required": ["routing_key", "payload"],
          "properties": {
            "routing_key": { "type": "string", "minLength": 1 },
            "payload": {
              "type": "object", "required": ["summary"],
              "properties": { "summary": { "type": "string" }, "timestamp": { "type": "string" }, "source": { "type": "string" } }
            }
          }
        },
        "PagerDutyAnswer": {
          "type": "object", "required": ["status", "message"],
          "properties": {
            "status": { "enum": ["success", "invalid event"] }, "message": { "type": "string" },
            "dedup_key": { "type": "string" }, "errors": { "type": "array", "items": { "type": "string" } }
          }
        },
        "GenericAlert": {
          "type": "object", "required": ["summary"],
          "properties": {
            "summary": { "type": "string", "minLength": 1 }, "details": { "type": "string" }, "action": { "enum": ["", "close"] },
            "dedup": { "type": "string" }, "severity": { "enum": ["info", "warning", "error", "critical"] },
            "service": { "type": "string" }, "meta": { "type": "object" }
          }
        },
        "GenericAnswer": {
          "type": "object", "required": ["ServiceID", "IsNew"],
          "properties": { "AlertID": { "type": "integer" }, "ServiceID": { "type": "string" }, "IsNew": { "type": "boolean" } }
        }
        """
}
