/// Pieces of schemas that come again and again.
enum OpenAPIText {
    static let name: JSONNode = ["type": "string", "minLength": 1]
    /// Up to 2^53: what every reader of JSON can hold exactly.
    static let natural: JSONNode = ["type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_992]
    static let severity: JSONNode = ["enum": ["info", "warning", "error", "critical"]]
    static let role: JSONNode = ["enum": ["intake", "reader", "responder", "admin"]]

    /// Not blank, and without NUL.
    static func text(_ limit: Int, orNull: Bool = false) -> JSONNode {
        [
            "type": orNull ? ["string", "null"] : "string", "minLength": 1, "maxLength": .number(Double(limit)),
            "pattern": "^[^\\x00]*[^\\s\\x00\\x1c-\\x1f\\u0085][^\\x00]*$",
        ]
    }

    /// One line as `Plain.line` leaves it: single blanks between words, and no controls or marks that turn text around.
    static func plain(_ limit: Int, orNull: Bool = false) -> JSONNode {
        let word = "[^\\x00-\\x20\\x7f-\\xa0\\u2028-\\u202e\\u2066-\\u2069]+"
        return [
            "type": orNull ? ["string", "null"] : "string", "minLength": 1, "maxLength": .number(Double(limit)),
            "pattern": .string("^\(word)( \(word))*$"),
        ]
    }

    /// An object with no other members.
    static func closed(_ properties: [String: JSONNode], required: [JSONNode]) -> JSONNode {
        [
            "type": "object", "additionalProperties": false, "properties": .object(properties),
            "required": .array(required),
        ]
    }
}
