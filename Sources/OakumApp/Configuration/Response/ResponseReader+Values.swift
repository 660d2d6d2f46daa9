import Foundation
import Notify
import StrictYAML

extension YAMLValue {
    /// - Throws: also for a list that is longer.
    func list(atMost limit: Int) throws(YAMLProblem) -> [YAMLValue] {
        let values = try list()
        guard values.count <= limit else { throw problem("\(name) has \(values.count) entries, more than \(limit)") }
        return values
    }

    /// One value, or a list of them.
    func oneOrMore(atMost limit: Int) throws(YAMLProblem) -> [YAMLValue] {
        isList ? try list(atMost: limit) : [self]
    }
}

extension ResponseReader {
    /// 1 to 64 letters, digits, `_`, `-` and `.`: what can stand in "person NAME" and in a journal.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "_-.".utf8.contains(byte)
            }
    }

    /// The name of a new thing among others of its kind.
    func name(_ mapping: YAMLMapping, of what: String, taken: [String]) throws(YAMLProblem) -> String {
        let value = try mapping.require("name")
        let name = try value.string()
        guard Self.isName(name) else {
            throw value.problem(
                "`\(name)` cannot be the name of a \(what)", hint: "letters, digits, _, - and ., at most 64")
        }
        guard !taken.contains(name) else { throw value.problem("two \(what)s are called `\(name)`") }
        return name
    }

    /// A name of something that has been read.
    func known(_ value: YAMLValue, _ what: String, among names: [String]) throws(YAMLProblem) -> String {
        let name = try value.string()
        guard names.contains(name) else {
            let there = names.isEmpty ? "there is none" : "there are \(names.prefix(20).joined(separator: ", "))"
            throw value.problem("there is no \(what) `\(name)`", hint: there)
        }
        return name
    }

    /// A text for people: no control characters, bounded.
    func text(_ value: YAMLValue, atMost limit: Int = 200) throws(YAMLProblem) -> String {
        let text = try value.string()
        guard (1...limit).contains(text.utf8.count),
            text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
        else { throw value.problem("\(value.name) must be a line of 1 to \(limit) bytes") }
        return text
    }

    /// The text does not appear in the problem: it may hold a token.
    func checkURL(
        _ text: String, _ value: YAMLValue, schemes: [String], mayHoldLogin: Bool
    ) throws(YAMLProblem) {
        let hint = "such as \(schemes[0])://host.example.org/…"
        guard text.utf8.count <= 2_048, text.utf8.allSatisfy({ (33...126).contains($0) }),
            let url = URLComponents(string: text), let scheme = url.scheme, schemes.contains(scheme),
            let host = url.host, !host.isEmpty
        else { throw value.problem("\(value.name) must hold a URL", hint: hint) }
        guard mayHoldLogin || (url.user == nil && url.password == nil) else {
            throw value.problem("\(value.name) holds a user name or a password", hint: "take it out of the URL")
        }
    }

    func url(_ value: YAMLValue, schemes: [String] = ["https", "http"]) throws(YAMLProblem) -> String {
        let text = try value.string()
        try checkURL(text, value, schemes: schemes, mayHoldLogin: false)
        return text
    }

    func existingFile(_ value: YAMLValue) throws(YAMLProblem) -> String {
        let path = ConfigurationFile.absolute(try value.string(), in: folder)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
            throw value.problem("there is no file \(path)")
        }
        return path
    }
}
