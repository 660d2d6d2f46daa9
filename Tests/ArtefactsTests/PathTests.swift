import Artefacts
import Testing

struct PathTests {
    @Test func `a name is spelt in one way`() throws {
        #expect(try EntryPath("./a//b/./c/").text == "a/b/c")
    }
}
