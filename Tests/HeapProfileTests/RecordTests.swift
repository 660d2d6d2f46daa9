import HeapProfile
import Testing

struct RecordTests {
    @Test(arguments: [("/usr/lib/libc.so.6", "libc.so.6"), ("server", "server"), ("/", ""), ("", "")])
    func `a module is named by the last part of its path`(path: String, name: String) {
        #expect(LoadedModule(loadBias: 0, addresses: 0..<1, path: path).name == name)
    }
}
