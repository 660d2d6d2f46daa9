// Foundation for the JSON coders alone: the standard library has none.
import FoundationEssentials
import Synchronization

/// Tokens in a JSON file of mode 0600 in the state folder: `{"version": 1, "tokens": […]}`.
///
/// Each change writes the file anew beside the old one, brings it to the disk and puts it in its place.
package final class FileAccessStore: AccessStore {
    private struct Contents: Codable {
        var version = 1
        var tokens: [TokenRecord] = []
    }

    private let path: String
    /// Held while the file is read and written: one change after the other.
    private let lock = Mutex(())

    package init(path: String) {
        self.path = path
    }

    package func load() throws(AccessStoreError) -> [TokenRecord] {
        try locked { () throws(AccessStoreError) in try read().tokens }
    }

    package func add(_ record: TokenRecord) throws(AccessStoreError) {
        try locked { () throws(AccessStoreError) in
            var contents = try read()
            contents.tokens.removeAll { $0.id == record.id }
            contents.tokens.append(record)
            try write(contents)
        }
    }

    package func remove(_ id: String) throws(AccessStoreError) -> Bool {
        try locked { () throws(AccessStoreError) in
            var contents = try read()
            let before = contents.tokens.count
            contents.tokens.removeAll { $0.id == id }
            guard contents.tokens.count < before else { return false }
            try write(contents)
            return true
        }
    }

    private func locked<Value: Sendable>(
        _ body: () throws(AccessStoreError) -> Value
    ) throws(AccessStoreError) -> Value {
        let result = lock.withLock { _ -> Result<Value, AccessStoreError> in
            do throws(AccessStoreError) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func read() throws(AccessStoreError) -> Contents {
        let bytes: [UInt8]?
        do {
            bytes = try PrivateFile.read(path)
        } catch {
            throw AccessStoreError("\(error)")
        }
        guard let bytes else { return Contents() }
        do {
            let contents = try JSONDecoder().decode(Contents.self, from: Data(bytes))
            guard contents.version == 1 else { throw AccessStoreError("version \(contents.version) is not known") }
            return contents
        } catch {
            throw AccessStoreError("\(path) is damaged or of another version: move it away and make new tokens")
        }
    }

    private func write(_ contents: Contents) throws(AccessStoreError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try PrivateFile.replace(path, with: Array(try encoder.encode(contents)))
        } catch {
            throw AccessStoreError("tokens cannot be kept: \(error)")
        }
    }
}
