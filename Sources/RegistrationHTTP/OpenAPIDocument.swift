/// What `/openapi.json` answers: OpenAPI 3.1. A test compares its paths with the router's.
package enum OpenAPIDocument {
    /// UTF-8.
    package static let bytes = Array(text.utf8)

    private static let text = """
        {
          "openapi": "3.1.0",
          "info": {
            "title": "Registration service",
            "version": "1.0.0",
            "description": "Sign-up, login, session check, profile and logout. Errors are problem documents (RFC 9457)."
          },
          "paths": {
            "/v1/signup": {
              "post": {
                "operationId": "signUp",
                "summary": "Create an account; a known address is answered exactly like a new one.",
                "requestBody": { "$ref": "#/components/requestBodies/Credentials" },
                "responses": {
                  "202": {
                    "description": "Accepted.",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Accepted" } } }
                  },
                  "400": { "$ref": "#/components/responses/Problem" },
                  "413": { "$ref": "#/components/responses/Problem" },
                  "415": { "$ref": "#/components/responses/Problem" },
                  "422": { "$ref": "#/components/responses/Problem" },
                  "500": { "$ref": "#/components/responses/Problem" },
                  "503": { "$ref": "#/components/responses/Later" }
                }
              }
            },
            "/v1/login": {
              "post": {
                "operationId": "login",
                "summary": "Open a session.",
                "requestBody": { "$ref": "#/components/requestBodies/Credentials" },
                "responses": {
                  "200": {
                    "description": "The session is open.",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Token" } } }
                  },
                  "400": { "$ref": "#/components/responses/Problem" },
                  "401": { "$ref": "#/components/responses/Problem" },
                  "413": { "$ref": "#/components/responses/Problem" },
                  "415": { "$ref": "#/components/responses/Problem" },
                  "422": { "$ref": "#/components/responses/Problem" },
                  "500": { "$ref": "#/components/responses/Problem" },
                  "503": { "$ref": "#/components/responses/Later" }
                }
              }
            },
            "/v1/session": {
              "get": {
                "operationId": "session",
                "summary": "Whose session the token opens.",
                "security": [{ "token": [] }],
                "responses": {
                  "200": {
                    "description": "The session lives.",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Session" } } }
                  },
                  "401": { "$ref": "#/components/responses/Problem" },
                  "500": { "$ref": "#/components/responses/Problem" },
                  "503": { "$ref": "#/components/responses/Later" }
                }
              }
            },
            "/v1/profile": {
              "get": {
                "operationId": "profile",
                "summary": "What the account of the token's session shows of itself.",
                "security": [{ "token": [] }],
                "responses": {
                  "200": {
                    "description": "The profile.",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Profile" } } }
                  },
                  "401": { "$ref": "#/components/responses/Problem" },
                  "500": { "$ref": "#/components/responses/Problem" },
                  "503": { "$ref": "#/components/responses/Later" }
                }
              }
            },
            "/v1/logout": {
              "post": {
                "operationId": "logout",
                "summary": "End the token's session, for all at once.",
                "security": [{ "token": [] }],
                "responses": {
                  "204": { "description": "The session has ended." },
                  "401": { "$ref": "#/components/responses/Problem" },
                  "500": { "$ref": "#/components/responses/Problem" },
                  "503": { "$ref": "#/components/responses/Later" }
                }
              }
            },
            "/healthz": {
              "get": {
                "operationId": "health",
                "summary": "The process answers.",
                "responses": { "200": { "$ref": "#/components/responses/Status" } }
              }
            },
            "/readyz": {
              "get": {
                "operationId": "readiness",
                "summary": "Requests can be served: the database answers.",
                "responses": {
                  "200": { "$ref": "#/components/responses/Status" },
                  "503": { "$ref": "#/components/responses/Later" }
                }
              }
            },
            "/openapi.json": {
              "get": {
                "operationId": "description",
                "summary": "This document.",
                "responses": { "200": { "description": "OpenAPI 3.1.", "content": { "application/json": {} } } }
              }
            }
          },
          "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "requestBodies": {
              "Credentials": {
                "required": true,
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Credentials" } } }
              }
            },
            "responses": {
              "Problem": {
                "description": "What is wrong.",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
              },
              "Later": {
                "description": "Too much at once, or the database is not there; come again.",
                "headers": { "Retry-After": { "required": true, "schema": { "type": "integer", "minimum": 1 } } },
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
              },
              "Status": {
                "description": "Fine.",
                "content": {
                  "application/json": {
                    "schema": {
                      "type": "object", "required": ["status"],
                      "properties": { "status": { "enum": ["ok", "ready"] } }
                    }
                  }
                }
              }
            },
            "schemas": {
              "Credentials": {
                "type": "object", "additionalProperties": false, "required": ["email", "password"],
                "properties": {
                  "email": { "type": "string", "format": "email", "maxLength": 254 },
                  "password": {
                    "type": "string", "format": "password", "maxLength": 256,
                    "description": "For a sign-up at least 15 code points, at most 1,024 bytes of UTF-8 in NFC."
                  }
                }
              },
              "Accepted": {
                "type": "object", "required": ["status"], "properties": { "status": { "const": "accepted" } }
              },
              "Token": {
                "type": "object", "required": ["token", "token_type", "expires_in_seconds"],
                "properties": {
                  "token": { "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" },
                  "token_type": { "const": "Bearer" },
                  "expires_in_seconds": { "type": "integer" }
                }
              },
              "Session": {
                "type": "object", "required": ["account", "email", "expires_in_seconds"],
                "properties": {
                  "account": { "type": "string" },
                  "email": { "type": "string" },
                  "expires_in_seconds": { "type": "integer" }
                }
              },
              "Profile": {
                "type": "object", "required": ["account", "email", "created_at"],
                "properties": {
                  "account": { "type": "string" },
                  "email": { "type": "string" },
                  "created_at": { "type": "string", "format": "date-time" }
                }
              },
              "Problem": {
                "type": "object", "required": ["type", "title", "status"],
                "properties": {
                  "type": { "type": "string", "format": "uri" },
                  "title": { "type": "string" },
                  "status": { "type": "integer" },
                  "detail": { "type": "string" },
                  "errors": {
                    "type": "array",
                    "items": {
                      "type": "object", "required": ["pointer", "code"],
                      "properties": { "pointer": { "type": "string" }, "code": { "type": "string" } }
                    }
                  }
                }
              }
            }
          }
        }
        """
}
