// The same in C++: polymorphic objects in a map behind a static. Usage: cxxleaks map|listeners leak|fixed [MILLISECONDS | --serve PORT]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include "serve.h"

namespace shop {

struct Item {
    virtual ~Item() = default;
    std::vector<char> picture = std::vector<char>(3000, 'x');
};

struct Book : Item {
    std::string title = "a title that is longer than what fits inside";
};

class Catalogue {
  public:
    static Catalogue &instance() {
        static Catalogue catalogue;
        return catalogue;
    }
    __attribute__((noinline)) void add(int number, bool leaks) {
        items[number] = std::make_unique<Book>();
        if (!leaks && items.size() > 5) items.erase(items.begin());
    }

  private:
    std::map<int, std::unique_ptr<Item>> items;
};

std::vector<std::shared_ptr<Item>> recently_seen;

} // namespace shop

int main(int count, char **arguments) {
    if (count < 3 || !read_pace(count, arguments)) return 2;
    int rounds = is_served ? 1 << 30 : 400;
    bool leaks = std::strcmp(arguments[2], "leak") == 0;
    for (int i = 0; i < rounds; i++) {
        turn();
        if (std::strcmp(arguments[1], "map") == 0) {
            shop::Catalogue::instance().add(i, leaks);
        } else {
            shop::recently_seen.push_back(std::make_shared<shop::Book>());
            if (!leaks && shop::recently_seen.size() > 5) shop::recently_seen.erase(shop::recently_seen.begin());
        }
    }
    std::puts("ready");
    std::fflush(stdout);
    for (;;) pause();
}
