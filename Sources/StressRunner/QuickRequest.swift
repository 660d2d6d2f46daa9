import Foundation
package import LoadGenerator

/// A request in one line: "GET /path", "POST /path BODY".
package struct QuickRequest: Sendable {
    package var request: RequestTemplate

    /// Why a line is no request, and what to write.
    package struct Failure: Error, Hashable, Sendable {
        package var message: String
    }

    /// - Parameters:
    ///   - line: method, path, and the rest as the body. `${key}` stands for a key: the same ones again and again, then
    ///     fresh ones. `{{key}}` means the same, for shells that would take the dollar for themselves.
    ///   - headers: "name: value", of every request.
    ///   - expected: statuses of a good answer; nil: 200 to 399.
    package init(parsing line: String, headers: [String] = [], expected: Set<Int>? = nil) throws(Failure) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true).map(String.init)
        guard let method = parts.first, parts.count >= 2, parts[1].hasPrefix("/"),
            parts[1].utf8.allSatisfy({ $0 > 32 && $0 != 127 }),
            ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].contains(method)
        else {
            throw Failure(message: "`\(line)` is no request: write METHOD /path, or METHOD /path BODY")
        }
        var fields: [(name: String, value: TextTemplate)] = []
        for header in headers {
            guard let colon = header.firstIndex(of: ":"), colon > header.startIndex,
                header[..<colon].utf8.allSatisfy({ $0 > 32 && $0 < 127 }),
                header.utf8.allSatisfy({ $0 >= 32 && $0 != 127 })
            else {
                throw Failure(message: "`\(header)` is no header: write NAME: VALUE")
            }
            let value = header[header.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            fields.append((String(header[..<colon]), try Self.template(value)))
        }
        request = RequestTemplate(
            name: "\(method) \(parts[1])", method: method, path: try Self.template(parts[1]), headers: fields,
            expectedStatuses: expected ?? Set(200...399))
        guard parts.count == 3 else { return }
        request.body = .text(try Self.template(parts[2]))
        if !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            let kind = parts[2].hasPrefix("{") || parts[2].hasPrefix("[") ? "application/json" : "text/plain"
            request.headers.append(("content-type", TextTemplate(literal: kind)))
        }
    }

    private static func template(_ text: String) throws(Failure) -> TextTemplate {
        let dollars = text.replacing(/\{\{([a-z]+(?::[a-z]+)?)\}\}/) { "${\($0.1)}" }
        do throws(TextTemplate.Failure) {
            return try TextTemplate(dollars: dollars)
        } catch {
            throw Failure(message: "`\(text)`: a variable is ${key}, ${fresh}, ${index} or ${random}")
        }
    }
}
